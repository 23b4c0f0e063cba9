// meter(): readings of what a scope has used, for lib/metering.
#pragma once

#include <node_api.h>

namespace forelock::bind {

napi_value meter(napi_env env, napi_callback_info info);
napi_value thread_begins(napi_env env, napi_callback_info info);

}  // namespace forelock::bind
