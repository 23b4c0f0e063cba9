// What the addon exports: open, unlink, inspect.
#pragma once

#include <node_api.h>

namespace forelock::bind {

napi_value open(napi_env env, napi_callback_info info);
napi_value unlink(napi_env env, napi_callback_info info);
napi_value inspect(napi_env env, napi_callback_info info);

}  // namespace forelock::bind
