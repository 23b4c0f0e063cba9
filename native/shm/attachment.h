// One environment's place in one arena: mapping, byte lock, requests, waker thread. What the bindings work with.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/member.h"
#include "shm/clock.h"
#include "shm/region.h"
#include "shm/ticks.h"
#include "shm/waker.h"

namespace forelock::shm {

class Attachment final : public core::Host {
 public:
  // Joins; throws OpenError. `signal` is called from the waker thread.
  Attachment(std::unique_ptr<Region> region, std::function<void()> signal);
  // Leaves: waits end, locks held pass on as the dead's do.
  ~Attachment() override;

  core::Arena& arena() { return *arena_; }
  core::Member& member() { return *member_; }
  Waker& waker() { return *waker_; }
  Region& region() { return *region_; }
  core::ParticipantId participant() const { return participant_; }
  std::string client() const;
  // Header::retired: 0, kUnlinked or kDamaged.
  std::uint32_t retired() const { return arena_->header().retired.load(std::memory_order_acquire); }

  core::Nanos now() override { return virtual_ ? arena_->header().virtual_now.load(std::memory_order_acquire) : monotonic_now(); }
  core::Nanos coarse_now() override { return virtual_ ? now() : monotonic_coarse(); }

  core::Nanos ticks() override { return virtual_ ? now() : ticks_.now(); }
  void look_for_observers() override { waker_->look_for_observers(); }
  Ticks& clock() { return ticks_; }

  // After an operation of the script thread that may have changed what it waits for.
  void publish() { publish(member_->next_deadline()); }
  // The same, where it has. The waker asks only whether anything waits, not how much.
  void publish_changes();
  bool is_virtual() const { return virtual_; }
  // Virtual clock: forward by `ns`, from one deadline to the next, so that things happen in the order of their times. What is
  // waited for has been published before, and is to be then.
  void advance(core::Nanos ns);

 private:
  bool back(std::size_t offset, std::size_t bytes) override { return region_->back(offset, bytes); }
  void wake(core::ParticipantId participant) override;
  void join();
  bool join_at(core::ParticipantId id, std::uint32_t& incarnation);
  void make_room();
  void leave(core::ParticipantId id);
  core::Nanos earliest_event(core::Nanos after) const;
  void publish(core::Nanos next);

  std::unique_ptr<Region> region_;
  std::optional<core::Arena> arena_;
  std::optional<core::Member> member_;
  std::unique_ptr<Waker> waker_;
  Ticks ticks_;
  core::ParticipantId participant_ = 0;
  bool virtual_ = false;
  bool published_waiting_ = false;
  core::Nanos published_deadline_ = 0;
};

}  // namespace forelock::shm
