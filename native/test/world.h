// An arena in plain memory with a fake machine around it: for tests of the core without kernel, Node or time.
#pragma once

#include <sys/mman.h>

#include <map>
#include <memory>
#include <string>

#include "core/deadlock.h"
#include "core/init.h"
#include "core/member.h"
#include "core/participants.h"
#include "core/sweep.h"

namespace forelock::test {

class FakeHost : public core::Host {
 public:
  // The clock may lie elsewhere, where several processes see it.
  explicit FakeHost(core::Nanos* clock = nullptr) : time(clock != nullptr ? *clock : own_) { time = 1'000'000'000; }
  FakeHost(const FakeHost&) = delete;

  bool back(std::size_t, std::size_t) override { return backing; }
  void wake(core::ParticipantId who) override { wakes[who]++; }
  core::Nanos now() override { return time; }

  bool backing = true;
  core::Nanos& time;
  std::map<core::ParticipantId, int> wakes;

 private:
  core::Nanos own_ = 0;
};

struct World {
  explicit World(core::Capacity capacity = small(), core::Nanos* clock = nullptr) : host(clock) {
    const core::Layout layout = core::Layout::of(capacity);
    size = layout.size;
    base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    core::Origin origin{};
    origin.capacity = capacity;
    origin.seed[0] = 1;
    origin.seed[1] = 2;
    origin.now = host.time;
    origin.wall_ms = 1'000;
    origin.ageing = 30'000 * core::kNanosPerMilli;
    core::initialise(base, origin);
    arena = std::make_unique<core::Arena>(base, host);
  }
  World(const World&) = delete;
  ~World() { munmap(base, size); }

  static core::Capacity small() { return {.elements = 64, .slots = 16 * core::kChunkSlots, .participants = 15, .texts = 32}; }

  std::unique_ptr<core::Member> join(core::ParticipantId id) {
    std::uint32_t incarnation = 0;
    if (!core::begin_join(*arena, id, incarnation) || !core::finish_join(*arena, id, incarnation)) return nullptr;
    return std::make_unique<core::Member>(*arena, id, incarnation);
  }
  void kill(core::ParticipantId id) { core::mark_dead(*arena, id, arena->participant(id).life.load(std::memory_order_acquire)); }
  std::uint64_t counter(core::Counter which) const {
    return arena->header().counters[static_cast<int>(which)].load(std::memory_order_relaxed);
  }

  FakeHost host;
  std::size_t size = 0;
  void* base = nullptr;
  std::unique_ptr<core::Arena> arena;
};

inline core::Handle look_up(core::Member& member, const std::u16string& name) {
  core::Handle handle{};
  if (member.lookup(core::Kind::kLock, name.data(), name.size(), handle) != core::Found::kOk) throw std::runtime_error("lookup");
  return handle;
}

// The waits of a member that have ended since it was asked last.
inline std::vector<core::Settled> ended(core::Member& member) {
  member.collect();
  std::vector<core::Settled> all;
  while (member.has_settled()) all.push_back(member.next_settled());
  return all;
}

}  // namespace forelock::test
