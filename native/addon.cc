// Module init: the table of contents of the addon. Nothing happens here but exporting; arenas are joined by open().
#include <node_api.h>
#include <unistd.h>

#include <string>

#include "bind/args.h"
#include "bind/meter.h"
#include "bind/open.h"
#include "bind/predict.h"
#include "bind/processors.h"
#include "core/signature.h"

namespace {

constexpr const char* kVersion = "0.1.0";

void add(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) == napi_ok) {
    forelock::bind::set(env, exports, name, function);
  }
}

napi_value init(napi_env env, napi_value exports) {
  add(env, exports, "threadBegins", forelock::bind::thread_begins);
  add(env, exports, "leaveProcessor", forelock::bind::leave_processor);
  add(env, exports, "open", forelock::bind::open);
  add(env, exports, "unlink", forelock::bind::unlink);
  add(env, exports, "inspect", forelock::bind::inspect);
  add(env, exports, "meter", forelock::bind::meter);
  forelock::bind::set(env, exports, "predict", forelock::bind::predict(env));
  forelock::bind::set(env, exports, "pageBytes", forelock::bind::number(env, static_cast<double>(sysconf(_SC_PAGESIZE))));
  forelock::bind::set(env, exports, "version", forelock::bind::text(env, std::string(kVersion)));
  const std::string layout = std::to_string(forelock::core::kFormat) + ":" + std::to_string(forelock::core::kSignature);
  forelock::bind::set(env, exports, "layout", forelock::bind::text(env, layout));
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
