// An attachment as an environment has it, with a bell in place of the event loop.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "shm/attachment.h"

namespace forelock::test {

// Rung by the waker thread. Waiting is bounded only so that a failure ends: nothing depends on the time.
class Bell {
 public:
  void ring() {
    const std::lock_guard guard(mutex_);
    rung_ = true;
    condition_.notify_all();
  }
  void wait() {
    std::unique_lock guard(mutex_);
    if (!condition_.wait_for(guard, std::chrono::seconds(30), [this] { return rung_; })) throw std::runtime_error("nobody rang");
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool rung_ = false;
};

class Desk {
 public:
  explicit Desk(std::unique_ptr<shm::Region> region)
      : attachment_(std::make_unique<shm::Attachment>(std::move(region), [this] { bell_.ring(); })) {
    attachment_->waker().start();
  }

  shm::Attachment& attachment() { return *attachment_; }
  core::Member& member() { return attachment_->member(); }
  void leave() { attachment_.reset(); }

  core::Handle find(const std::u16string& name) {
    core::Handle handle{};
    if (member().lookup(core::Kind::kLock, name.data(), name.size(), handle) != core::Found::kOk) throw std::runtime_error("lookup");
    return handle;
  }
  core::Answer lock(const core::Handle& handle, core::Granted& out, bool shared = false) {
    core::Request request;
    request.handle = handle;
    request.shared = shared;
    const core::Answer answer = member().lock(request, out);
    attachment_->publish();
    return answer;
  }
  // The end of a wait, as the loop learns of it.
  core::Settled settled() {
    for (;;) {
      attachment_->waker().acknowledge();
      if (attachment_->waker().is_corrupt()) member().fail_all(core::Outcome::kCorrupt);
      if (attachment_->waker().is_retired()) member().fail_all(core::Outcome::kRetired);
      member().expire();
      member().collect();
      attachment_->publish();
      if (member().has_settled()) return member().next_settled();
      bell_.wait();
    }
  }

 private:
  Bell bell_;
  std::unique_ptr<shm::Attachment> attachment_;
};

inline shm::Wanted small() {
  shm::Wanted wanted;
  wanted.elements = 64;
  wanted.slots = 1024;
  wanted.participants = 6;
  wanted.texts = 16;
  return wanted;
}

}  // namespace forelock::test
