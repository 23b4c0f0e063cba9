#include "bind/processors.h"

#include <climits>

#include "bind/args.h"
#include "linux/processors.h"

namespace forelock::bind {

napi_value leave_processor(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  double thread = 0;
  if (!ok(napi_get_cb_info(env, info, &count, &value, nullptr, nullptr)) || count < 1 || !ok(napi_get_value_double(env, value, &thread)) ||
      !whole(thread, INT_MAX)) {
    throw_type(env, "leaveProcessor(thread)");
    return nullptr;
  }
  return boolean(env, os::leave_first_processor(static_cast<pid_t>(thread)));
}

}  // namespace forelock::bind
