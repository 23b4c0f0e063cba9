#include "ring.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "state.h"

namespace floors {
namespace {

// Not the private form: the other side may be another process.
long futex(std::atomic<std::uint32_t>* word, int operation, std::uint32_t value) {
  return syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(word), operation, value, nullptr, nullptr, 0);
}

void advance(std::atomic<std::uint32_t>* word) {
  word->fetch_add(1);
  futex(word, FUTEX_WAKE, INT_MAX);
}

}  // namespace

Listener::Listener(std::atomic<std::uint32_t>* word, napi_threadsafe_function wake)
    : word_(word), wake_(wake), thread_(&Listener::run, this, word->load()) {}

Listener::~Listener() {
  stop_ = true;
  advance(word_);  // others that listen to the word see one ring too many; nobody does when a trial ends
  thread_.join();
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
}

void Listener::run(std::uint32_t seen) {
  for (;;) {
    futex(word_, FUTEX_WAIT, seen);
    if (stop_) return;
    const std::uint32_t now = word_->load();
    if (now == seen) continue;
    seen = now;
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }
}

// listen(callback): called on this environment's loop for each ring of the chosen word, however many rings it answers.
napi_value listen(napi_env env, napi_callback_info info) {
  napi_value callback[1];
  State* state = arguments(env, info, callback);
  if (state->chosen == nullptr) return fail(env, "choose a word first");
  if (state->listener) return fail(env, "listening already");
  napi_value name;
  napi_create_string_utf8(env, "floors.listen", NAPI_AUTO_LENGTH, &name);
  napi_threadsafe_function wake;
  if (napi_create_threadsafe_function(env, callback[0], nullptr, name, 0, 1, nullptr, nullptr, nullptr, nullptr, &wake) != napi_ok) {
    return fail(env, "listen needs a function");
  }
  state->listener = std::make_unique<Listener>(&state->chosen->value, wake);
  return nullptr;
}

napi_value stop_listening(napi_env env, napi_callback_info info) {
  state_of(env, info)->listener.reset();
  return nullptr;
}

napi_value ring(napi_env env, napi_callback_info info) {
  State* state = state_of(env, info);
  if (state->chosen == nullptr) return fail(env, "choose a word first");
  advance(&state->chosen->value);
  return nullptr;
}

}  // namespace floors
