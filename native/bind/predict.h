#pragma once

#include <node_api.h>

namespace forelock::bind {

// The sums of the forecasters as functions of numbers: lib/native/predict.ts. Null: an exception is pending.
napi_value predict(napi_env env);

}  // namespace forelock::bind
