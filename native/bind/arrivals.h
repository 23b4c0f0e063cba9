#pragma once

#include <node_api.h>

namespace forelock::bind {

// arrivals(keys, within, seed): native/predict/arrivals.h as an object of functions: lib/native/predict.ts.
napi_value arrivals(napi_env env, napi_callback_info info);

}  // namespace forelock::bind
