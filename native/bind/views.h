// Snapshots and counters as JavaScript objects.
#pragma once

#include <node_api.h>

#include <vector>

#include "shm/snapshot.h"

namespace forelock::bind {

napi_value to_js(napi_env env, const std::vector<shm::ElementView>& views);
napi_value counters_to_js(napi_env env, const core::Arena& arena);
napi_value options_to_js(napi_env env, const core::Header& header);
napi_value participants_to_js(napi_env env, const core::Arena& arena);

}  // namespace forelock::bind
