#pragma once

#include "napi.h"

namespace floors {

napi_value locked_ranges(napi_env env, napi_callback_info info);
napi_value watch_release(napi_env env, napi_callback_info info);

}  // namespace floors
