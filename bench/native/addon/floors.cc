// The physical floors under forelock's figures, and what the bench must ask of the kernel.
#include "file_locks.h"
#include "lines.h"
#include "napi.h"
#include "ring.h"
#include "state.h"
#include "words.h"

namespace {

void drop_state(void* state) { delete static_cast<floors::State*>(state); }

}  // namespace

NAPI_MODULE_INIT() {
  auto* state = new floors::State;
  napi_add_env_cleanup_hook(env, drop_state, state);
  const napi_property_descriptor functions[] = {
      {"call", nullptr, floors::call, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"cas", nullptr, floors::cas, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"find", nullptr, floors::find, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"look", nullptr, floors::look, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"makeLines", nullptr, floors::make_lines, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"touchLine", nullptr, floors::touch_line, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"casShared", nullptr, floors::cas_shared, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"mapWords", nullptr, floors::map_words, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"choose", nullptr, floors::choose, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"value", nullptr, floors::value_of, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"listen", nullptr, floors::listen, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"stopListening", nullptr, floors::stop_listening, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"ring", nullptr, floors::ring, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"lockedRanges", nullptr, floors::locked_ranges, nullptr, nullptr, nullptr, napi_enumerable, state},
      {"watchRelease", nullptr, floors::watch_release, nullptr, nullptr, nullptr, napi_enumerable, state},
  };
  napi_define_properties(env, exports, sizeof(functions) / sizeof(*functions), functions);
  return exports;
}
