#include "bind/exit_poll.h"

#include "bind/args.h"

namespace forelock::bind {

ExitPoll* ExitPoll::start(napi_env env, int process, Listener& listener) {
  uv_loop_s* loop = nullptr;
  if (process < 0 || !ok(napi_get_uv_event_loop(env, &loop))) return nullptr;
  auto* poll = new ExitPoll(listener);
  if (uv_poll_init(loop, &poll->handle_, process) != 0) {
    delete poll;
    return nullptr;
  }
  poll->handle_.data = poll;
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll->handle_));
  // A loop ends only after its handles were closed, which takes it a turn.
  if (!ok(napi_add_async_cleanup_hook(env, end_of_environment, poll, &poll->hook_)) ||
      uv_poll_start(&poll->handle_, UV_READABLE, readable) != 0) {
    poll->close();
    return nullptr;
  }
  return poll;
}

void ExitPoll::readable(uv_poll_t* handle, int, int) {
  auto* poll = static_cast<ExitPoll*>(handle->data);
  if (poll->listener_ != nullptr) poll->listener_->process_ended();
  poll->end();
}

void ExitPoll::end_of_environment(napi_async_cleanup_hook_handle, void* data) { static_cast<ExitPoll*>(data)->end(); }

void ExitPoll::end() {
  if (listener_ != nullptr) listener_->poll_gone();
  close();
}

void ExitPoll::close() {
  listener_ = nullptr;
  if (closing_) return;
  closing_ = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), closed);
}

void ExitPoll::closed(uv_handle_t* handle) {
  auto* poll = static_cast<ExitPoll*>(handle->data);
  if (poll->hook_ != nullptr) napi_remove_async_cleanup_hook(poll->hook_);
  delete poll;
}

}  // namespace forelock::bind
