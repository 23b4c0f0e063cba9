#pragma once

#include "napi.h"

namespace floors {

napi_value call(napi_env env, napi_callback_info info);
napi_value cas(napi_env env, napi_callback_info info);
napi_value find(napi_env env, napi_callback_info info);
napi_value look(napi_env env, napi_callback_info info);
napi_value cas_shared(napi_env env, napi_callback_info info);
napi_value map_words(napi_env env, napi_callback_info info);
napi_value choose(napi_env env, napi_callback_info info);
napi_value value_of(napi_env env, napi_callback_info info);

}  // namespace floors
