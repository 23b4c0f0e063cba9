#include "words.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "state.h"

namespace floors {
namespace {

// Two compare-and-swaps that cannot be left out: what taking and giving back a free lock costs at least.
void pair(std::atomic<std::uint32_t>& word) {
  for (int i = 0; i < 2; i++) {
    std::uint32_t seen = word.load();
    while (!word.compare_exchange_weak(seen, seen + 1)) {
    }
  }
}

}  // namespace

State::~State() {
  listener.reset();
  if (shared != nullptr) munmap(shared, sizeof(Word) * kWords);
}

napi_value call(napi_env, napi_callback_info) { return nullptr; }

napi_value cas(napi_env env, napi_callback_info info) {
  pair(state_of(env, info)->own.value);
  return nullptr;
}

// The call, and what a call of forelock does for telemetry and plans that nobody asked for: a load and a branch for each.
napi_value look(napi_env env, napi_callback_info info) {
  State* state = state_of(env, info);
  if (state == nullptr) return fail(env, "no state");
  if (state->observers.value.load(std::memory_order_relaxed) != 0) return fail(env, "nobody observes here");
  if (state->plans.value.load(std::memory_order_relaxed) != 0) return fail(env, "nothing is planned here");
  return nullptr;
}

// A call that finds its state, and nothing else: what `look` is compared with.
napi_value find(napi_env env, napi_callback_info info) {
  if (state_of(env, info) == nullptr) return fail(env, "no state");
  return nullptr;
}

napi_value cas_shared(napi_env env, napi_callback_info info) {
  State* state = state_of(env, info);
  if (state->chosen == nullptr) return fail(env, "choose a word first");
  pair(state->chosen->value);
  return nullptr;
}

// mapWords(path): makes the file when there is none.
napi_value map_words(napi_env env, napi_callback_info info) {
  napi_value value[1];
  State* state = arguments(env, info, value);
  std::string path;
  if (!to_string(env, value[0], &path)) return fail(env, "mapWords needs a path");
  if (state->shared != nullptr) return fail(env, "mapped already");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail_errno(env, path);
  void* memory = MAP_FAILED;
  if (ftruncate(fd, sizeof(Word) * kWords) == 0) {
    memory = mmap(nullptr, sizeof(Word) * kWords, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  if (memory == MAP_FAILED) return fail_errno(env, path);
  state->shared = static_cast<Word*>(memory);
  return nullptr;
}

napi_value choose(napi_env env, napi_callback_info info) {
  napi_value value[1];
  State* state = arguments(env, info, value);
  std::uint32_t index;
  if (napi_get_value_uint32(env, value[0], &index) != napi_ok || index >= kWords) return fail(env, "no such word");
  if (state->shared == nullptr) return fail(env, "mapWords first");
  state->chosen = &state->shared[index];
  return nullptr;
}

// The own word, or the chosen one once there is one: the bench checks that the work was done.
napi_value value_of(napi_env env, napi_callback_info info) {
  State* state = state_of(env, info);
  napi_value result;
  napi_create_uint32(env, (state->chosen == nullptr ? state->own : *state->chosen).value.load(), &result);
  return result;
}

}  // namespace floors
