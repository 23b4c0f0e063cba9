// leaveProcessor(): for lib/thread/give-way.ts.
#pragma once

#include <node_api.h>

namespace forelock::bind {

napi_value leave_processor(napi_env env, napi_callback_info info);

}  // namespace forelock::bind
