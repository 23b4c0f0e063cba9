// Death at every instruction of a queue's operations, as step.cc has it for locks. What each participant began and finished stands in
// a ledger outside of the arena, so that the judge knows at every instruction what must come out, what may, and what
// must not: a record whose offer returned is delivered until somebody's acknowledgement began, one whose acknowledgement
// returned never again, one that was half written never; and all of the room can be used afterwards.
//
//   queue_step [--only TEXT] [--deep N] [--stops N]    as step.cc
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "test/check.h"
#include "test/crash/in_child.h"
#include "test/crash/landmarks.h"
#include "test/crash/stepper.h"
#include "test/world.h"

using namespace forelock;
using namespace forelock::test;

namespace {

using Id = core::ParticipantId;
using Dead = std::vector<Id>;

constexpr Id kActors = 4;
constexpr int kRecords = 96;
constexpr unsigned kCheckSeconds = 60;

// What became of the operations, by record. `kBegun` without an end is one that died, or is being done.
enum class Deed : std::uint8_t { kNot, kBegun, kDone };
struct Ledger {
  Deed offered[kRecords];
  Deed acknowledged[kRecords];
  std::uint8_t deliveries[kRecords];  // that returned
  std::uint8_t returns[kRecords];     // a delivery that was given back unseen
  bool looking[kActors + 1];          // in an operation that may deliver something
  int next;
};

struct Hold {
  std::uint64_t sequence;
  int record;
};
struct Wait {
  core::WaiterId waiter;
  bool room;
  std::uint32_t tier;
};
struct Actor {
  std::unique_ptr<core::Member> member;
  core::QueueId queue = 0;
  std::vector<Hold> holds;
  std::vector<Wait> waits;
};

std::string text_of(int record) {
  std::string text(static_cast<std::size_t>(17 + record % 40), static_cast<char>('0' + record % 64));
  text += std::to_string(record);
  return text;
}

class Scene {
 public:
  explicit Scene(std::uint32_t room) : world(capacity()), room_(room) {
    ledger = static_cast<Ledger*>(mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    for (Id id = 1; id <= kActors; id++) {
      actors[id].member = world.join(id);
      core::QueueConfig stored{};
      CHECK(actors[id].member->attach(u"q", 1, {room, 64}, actors[id].queue, stored) == core::Attached::kOk);
    }
  }
  ~Scene() { munmap(ledger, sizeof(Ledger)); }

  static core::Capacity capacity() { return {.elements = 8, .slots = 6 * core::kChunkSlots, .participants = 6, .texts = 6, .heap = 2}; }

  // ---- operations

  bool offer(Id id, std::uint32_t tier = 1) {
    Actor& a = actors[id];
    const int record = begin_offer();
    const std::string text = text_of(record);
    const core::Answer answer = a.member->offer(a.queue, tier, text.data(), static_cast<std::uint32_t>(text.size()));
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kBusy);
    ledger->offered[record] = answer == core::Answer::kOk ? Deed::kDone : Deed::kNot;
    return answer == core::Answer::kOk;
  }
  bool poll(Id id) {
    Actor& a = actors[id];
    ledger->looking[id] = true;
    core::Granted granted;
    const core::Answer answer = a.member->poll(a.queue, granted);
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kBusy);
    if (answer == core::Answer::kOk) deliver(id, granted.sequence);
    ledger->looking[id] = false;
    return answer == core::Answer::kOk;
  }
  void acknowledge(Id id) {
    Actor& a = actors[id];
    if (a.holds.empty()) return;
    const Hold hold = a.holds.front();
    a.holds.erase(a.holds.begin());
    ledger->acknowledged[hold.record] = Deed::kBegun;
    CHECK(a.member->acknowledge(a.queue, hold.sequence) == core::Answer::kOk);
    ledger->acknowledged[hold.record] = Deed::kDone;
  }
  void put_back(Id id) {
    Actor& a = actors[id];
    if (a.holds.empty()) return;
    const Hold hold = a.holds.front();
    a.holds.erase(a.holds.begin());
    CHECK(a.member->put_back(a.queue, hold.sequence) == core::Answer::kOk);
  }
  void take(Id id, std::uint32_t tier = 1) {
    Actor& a = actors[id];
    ledger->looking[id] = true;
    core::Request request;
    request.tier = tier;
    core::Granted granted;
    const core::Answer answer = a.member->wait_for_item(a.queue, request, granted);
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kWait);
    if (answer == core::Answer::kOk) deliver(id, granted.sequence);
    if (answer == core::Answer::kWait) a.waits.push_back({granted.waiter, false, tier});
    world.host.time++;
    ledger->looking[id] = false;
  }
  void push(Id id, std::uint32_t tier = 1) {
    Actor& a = actors[id];
    core::Request request;
    request.tier = tier;
    core::Granted granted;
    const core::Answer answer = a.member->wait_for_room(a.queue, request, granted);
    CHECK(answer == core::Answer::kOk || answer == core::Answer::kWait);
    if (answer == core::Answer::kOk) fill(id, granted.sequence, tier);
    if (answer == core::Answer::kWait) a.waits.push_back({granted.waiter, true, tier});
    world.host.time++;
  }
  void abort(Id id) {
    Actor& a = actors[id];
    if (a.waits.empty()) return;
    const Wait wait = a.waits.front();
    a.waits.erase(a.waits.begin());
    ledger->looking[id] = true;
    CHECK(a.member->abort(wait.waiter) == core::Answer::kOk);
    ledger->looking[id] = false;
  }
  // What was granted to its waits.
  void collect(Id id) {
    Actor& a = actors[id];
    ledger->looking[id] = true;
    a.member->collect();
    while (a.member->has_settled()) {
      const core::Settled settled = a.member->next_settled();
      const auto wait = std::find_if(a.waits.begin(), a.waits.end(), [&](const Wait& w) { return w.waiter == settled.waiter; });
      CHECK(wait != a.waits.end());
      CHECK(settled.outcome == core::Outcome::kGranted);
      const Wait ended = *wait;
      a.waits.erase(wait);
      if (ended.room) {
        fill(id, settled.grant.sequence, ended.tier);
      } else {
        deliver(id, settled.grant.sequence);
      }
    }
    ledger->looking[id] = false;
  }
  bool sweep_all(Id id) {
    core::Lane waker(*world.arena, id, core::Thread::kWaker);
    return core::sweep_all(waker);
  }

  // ---- the judge

  void settle(const Dead& dead) {
    for (int stalls = 0;;) {
      bool moved = false;
      bool items = false;
      bool room = false;
      for (const Id id : living(dead)) {
        const std::size_t before = actors[id].waits.size();
        collect(id);
        moved |= before != actors[id].waits.size();
        while (!actors[id].holds.empty()) {
          acknowledge(id);
          moved = true;
        }
        for (const Wait& wait : actors[id].waits) (wait.room ? room : items) = true;
      }
      if (!items && !room) return;
      if (moved) {
        stalls = 0;
        continue;
      }
      // Those who wait for records get some; those who wait for room, too: and only they may hold it up.
      CHECK(stalls++ < 3);
      const Id id = living(dead).front();
      if (items) offer(id);
      if (room && poll(id)) acknowledge(id);
    }
  }

  void verify(const Dead& dead) {
    for (const Id id : living(dead)) {
      CHECK_EQUAL(actors[id].member->waiting(), 0u);
    }
    const Id id = living(dead).front();
    Actor& a = actors[id];
    std::map<std::pair<std::uint32_t, bool>, int> last;
    while (true) {
      core::Granted granted;
      const core::Answer answer = a.member->poll(a.queue, granted);
      if (answer != core::Answer::kOk) break;
      deliver(id, granted.sequence);
      core::Item item;
      CHECK(a.member->look(a.queue, granted.sequence, item));
      // Each scenario offers its records one after another, so those that never left are in the order of their numbers.
      if (item.attempt == 1 && ordered) {
        int& before = last[{item.tier, false}];
        CHECK(a.holds.back().record >= before);
        before = a.holds.back().record;
      }
      acknowledge(id);
    }
    for (int record = 0; record < kRecords; record++) {
      if (ledger->offered[record] == Deed::kDone && ledger->acknowledged[record] == Deed::kNot) {
        throw Failure("record " + std::to_string(record) + " was lost");
      }
    }
    for (int lap = 0; lap < 3; lap++) {
      for (std::uint32_t i = 0; i < room_; i++) CHECK(offer(id));
      CHECK(!offer(id));
      CHECK_EQUAL(a.member->queue(a.queue).size(), room_);
      for (std::uint32_t i = 0; i < room_; i++) {
        CHECK(poll(id));
        acknowledge(id);
      }
      CHECK(!poll(id));
    }
    for (const Id gone : dead) CHECK(world.join(gone) != nullptr);  // its place is free
    for (core::ElementIndex i = 0; i < world.arena->capacity().elements; i++) {
      const core::Element& element = world.arena->element(i);
      CHECK_EQUAL(core::Gate::of(element.gate.load()).holder, 0u);
      CHECK_EQUAL(core::Gate::of(element.gate.load()).head % core::Gate::kClosed, 0u);
      CHECK_EQUAL(element.fast.load() & core::Fast::kQueued, 0u);
      for (const auto& head : element.heads) CHECK_EQUAL(head.load(), 0u);
    }
    for (core::SlotId slot = 1; slot <= world.arena->capacity().slots; slot++) {
      CHECK_EQUAL(static_cast<int>(core::SlotState::of(world.arena->slot(slot).state.load()).status), 0);
    }
  }

  // No record is on its way to a wait that has not looked.
  bool nobody_was_given() const {
    const core::Queue& queue = actors[2].member->queue(0);
    for (std::uint32_t i = 0; i < room_; i++) {
      const auto status = core::CellWord::of(queue.cell(i).state.load()).status;
      if (status == core::CellStatus::kGiven) return false;
    }
    return true;
  }

  static Dead living(const Dead& dead) {
    Dead ids;
    for (Id id = 2; id <= kActors; id++) {
      if (std::find(dead.begin(), dead.end(), id) == dead.end()) ids.push_back(id);
    }
    return ids;
  }

  std::string dump() const {
    std::ostringstream out;
    const core::Queue& queue = actors[2].member->queue(0);
    for (std::uint32_t i = 0; i < room_; i++) {
      const core::CellWord word = core::CellWord::of(queue.cell(i).state.load());
      out << "    cell " << i << " status " << static_cast<int>(word.status) << " ring " << word.ring << " owner " << word.owner
          << " ticket " << word.ticket << '\n';
    }
    for (std::uint32_t ring = 0; ring < core::kRings; ring++) {
      out << "    ring " << ring << " head " << queue.record().rings[ring].head.load() << " tail " << queue.record().rings[ring].tail.load()
          << '\n';
    }
    for (int record = 0; record < ledger->next && record < kRecords; record++) {
      out << "    record " << record << " offered " << static_cast<int>(ledger->offered[record]) << " acknowledged "
          << static_cast<int>(ledger->acknowledged[record]) << " deliveries " << static_cast<int>(ledger->deliveries[record]) << '\n';
    }
    for (core::SlotId slot = 1; slot <= world.arena->capacity().slots; slot++) {
      const core::SlotState state = core::SlotState::of(world.arena->slot(slot).state.load());
      if (state.status != core::Status::kFree) {
        out << "    slot " << slot << " status " << static_cast<int>(state.status) << " sequence " << state.sequence << '\n';
      }
    }
    return out.str();
  }

  World world;
  Ledger* ledger;
  Actor actors[kActors + 1];
  bool ordered = true;

 private:
  const std::uint32_t room_;

  int begin_offer() {
    const int record = ledger->next++;
    CHECK(record < kRecords);
    ledger->offered[record] = Deed::kBegun;
    return record;
  }
  void fill(Id id, std::uint64_t sequence, std::uint32_t tier) {
    Actor& a = actors[id];
    const int record = begin_offer();
    const std::string text = text_of(record);
    CHECK(a.member->fill(a.queue, sequence, tier, text.data(), static_cast<std::uint32_t>(text.size())) == core::Answer::kOk);
    ledger->offered[record] = Deed::kDone;
  }
  void deliver(Id id, std::uint64_t sequence) {
    Actor& a = actors[id];
    core::Item item;
    CHECK(a.member->look(a.queue, sequence, item));
    const std::string text(reinterpret_cast<const char*>(item.bytes), item.length);
    int record = -1;
    for (int i = 0; i < ledger->next; i++) {
      if (text == text_of(i)) record = i;
    }
    CHECK(record >= 0);                                  // whole
    CHECK(ledger->offered[record] != Deed::kNot);        // not one that was refused
    CHECK(ledger->acknowledged[record] != Deed::kDone);  // nor one that is over
    std::uint32_t unseen = 0;
    for (Id other = 1; other <= kActors; other++) unseen += other != id && ledger->looking[other] ? 1 : 0;
    CHECK(item.attempt > ledger->deliveries[record]);
    CHECK(item.attempt <= ledger->deliveries[record] + 1u + unseen);
    for (Id other = 2; other <= kActors; other++) {
      if (!world.arena->is_alive(other)) continue;
      for (const Hold& theirs : actors[other].holds) CHECK(theirs.record != record);  // nobody else alive has it in hand
    }
    ledger->deliveries[record]++;
    a.holds.push_back({sequence, record});
  }
};

// ---- scenarios -----------------------------------------------------------------------------------------------------

struct Scenario {
  const char* name;
  std::function<void(Scene&)> prepare;
  std::function<void(Scene&)> act;
  Dead dead = {};  // died before
  bool ordered = true;
};

void laps(Scene& s, int rounds) {
  for (int i = 0; i < rounds; i++) {
    s.offer(2);
    s.poll(3);
    s.acknowledge(3);
  }
}

// Both gates stand as if somebody were inside while this is done.
void shut(Scene& s, bool room, const std::function<void()>& meanwhile) {
  const core::Queue& queue = s.actors[2].member->queue(0);
  auto& gate = s.world.arena->element(room ? queue.room() : queue.items()).gate;
  core::Gate word = core::Gate::of(gate.load());
  word.holder = core::lane_of(5, core::Thread::kWaker);
  gate.store(word.word());
  meanwhile();
  word = core::Gate::of(gate.load());
  word.holder = 0;
  word.poke = false;
  gate.store(word.word());
}

std::vector<Scenario> all_scenarios() {
  const auto nothing = [](Scene&) {};
  const auto full = [](Scene& s) {
    for (int i = 0; i < 3; i++) s.offer(2);
  };
  return {
      {"offer to an empty queue", nothing, [](Scene& s) { s.offer(1); }},
      {"offer, after some laps", [](Scene& s) { laps(s, 6); }, [](Scene& s) { s.offer(1); }},
      {"offer of the last place",
       [](Scene& s) {
         s.offer(2);
         s.offer(2);
       },
       [](Scene& s) { s.offer(1); }},
      {"offer to a full queue", full, [](Scene& s) { s.offer(1); }},
      {"two offers in two tiers", [](Scene& s) { s.offer(2, 2); },
       [](Scene& s) {
         s.offer(1, 3);
         s.offer(1, 0);
       }},
      {"poll of an empty queue", nothing, [](Scene& s) { s.poll(1); }},
      {"poll of one record", [](Scene& s) { s.offer(2); }, [](Scene& s) { s.poll(1); }},
      {"poll of one of several tiers",
       [](Scene& s) {
         s.offer(2, 0);
         s.offer(2, 1);
         s.offer(2, 3);
       },
       [](Scene& s) {
         s.poll(1);
         s.poll(1);
       }},
      {"poll and acknowledge", full,
       [](Scene& s) {
         s.poll(1);
         s.acknowledge(1);
       }},
      {"poll and give back", full,
       [](Scene& s) {
         s.poll(1);
         s.put_back(1);
         s.poll(1);
       }},
      {"offer, poll, acknowledge, again and again", nothing,
       [](Scene& s) {
         for (int i = 0; i < 5; i++) {
           s.offer(1);
           s.poll(1);
           s.acknowledge(1);
         }
       }},
      {"acknowledge out of order",
       [](Scene& s) {
         for (int i = 0; i < 3; i++) {
           s.offer(2);
           s.poll(1);
         }
       },
       [](Scene& s) {
         std::swap(s.actors[1].holds.front(), s.actors[1].holds.back());
         s.acknowledge(1);
         s.acknowledge(1);
       }},
      {"give back one of two in hand",
       [](Scene& s) {
         for (int i = 0; i < 3; i++) s.offer(2);
         s.poll(1);
         s.poll(1);
       },
       [](Scene& s) { s.put_back(1); }},
      // ---- waits
      {"take that waits", nothing, [](Scene& s) { s.take(1); }},
      {"take behind others",
       [](Scene& s) {
         s.take(2);
         s.take(3, 2);
       },
       [](Scene& s) { s.take(1); }},
      {"offer to one that waits", [](Scene& s) { s.take(3); }, [](Scene& s) { s.offer(1); }},
      {"offer to one of several that wait",
       [](Scene& s) {
         s.take(3);
         s.take(4, 3);
         s.take(2);
       },
       [](Scene& s) {
         s.offer(1);
         s.offer(1);
       }},
      {"offer to a wait of its own",
       [](Scene& s) {
         s.take(1);
         s.take(3);
       },
       [](Scene& s) {
         s.offer(1);
         s.collect(1);
         s.acknowledge(1);
       }},
      {"what was given to a wait is looked at",
       [](Scene& s) {
         s.take(1);
         s.offer(2);
       },
       [](Scene& s) {
         s.collect(1);
         s.acknowledge(1);
       }},
      {"a wait is given up",
       [](Scene& s) {
         s.take(3);
         s.take(1);
         s.take(4);
       },
       [](Scene& s) { s.abort(1); }},
      {"a wait is given up that was served",
       [](Scene& s) {
         s.take(1);
         s.offer(2);
         s.take(3);
       },
       [](Scene& s) { s.abort(1); }},
      {"a wait is given up that was served with room",
       [](Scene& s) {
         for (int i = 0; i < 3; i++) s.offer(2);
         s.push(1);
         s.push(3);
         s.poll(2);
         s.acknowledge(2);
       },
       [](Scene& s) { s.abort(1); }},
      {"take that finds waits in the inbox",
       [](Scene& s) {
         shut(s, false, [&] {
           s.take(3);
           s.take(4, 3);
           s.offer(2);
         });
       },
       [](Scene& s) { s.take(1); },
       {},
       false},
      {"offer that finds waits in the inbox",
       [](Scene& s) {
         shut(s, false, [&] {
           s.take(3);
           s.take(4, 3);
         });
       },
       [](Scene& s) { s.offer(1); }},
      {"push that waits", full, [](Scene& s) { s.push(1); }},
      {"push with room", nothing, [](Scene& s) { s.push(1); }},
      {"acknowledge for one that waits for room",
       [](Scene& s) {
         for (int i = 0; i < 3; i++) s.offer(2);
         s.poll(1);
         s.push(3);
         s.push(4, 2);
       },
       [](Scene& s) {
         s.acknowledge(1);
         s.poll(1);
         s.acknowledge(1);
       }},
      {"room is given to a wait, and filled",
       [](Scene& s) {
         for (int i = 0; i < 3; i++) s.offer(2);
         s.push(1);
         s.poll(3);
         s.acknowledge(3);
       },
       [](Scene& s) { s.collect(1); }},
      {"give back to one that waits",
       [](Scene& s) {
         s.offer(2);
         s.poll(1);
         s.take(3);
       },
       [](Scene& s) { s.put_back(1); }},
      {"leave with records in hand and waits",
       [](Scene& s) {
         s.offer(2);
         s.offer(2);
         s.poll(1);
         s.poll(1);
         s.take(1);
         s.take(3);
       },
       [](Scene& s) {
         s.actors[1].member->abandon_all();
         s.world.kill(1);
       },
       {},
       false},
      // ---- the dead
      {"sweep of one with records in hand",
       [](Scene& s) {
         for (int i = 0; i < 3; i++) s.offer(2);
         s.poll(4);
         s.poll(4);
         s.world.kill(4);
       },
       [](Scene& s) { s.sweep_all(1); },
       {4}},
      {"sweep of one with records of all kinds in hand",
       [](Scene& s) {
         s.offer(2, 2);
         s.offer(2, 1);
         s.poll(4);
         s.put_back(4);
         s.poll(4);
         s.poll(4);
         s.take(4);
         s.take(3);
         s.world.kill(4);
       },
       [](Scene& s) {
         s.sweep_all(1);
         s.collect(1);
       },
       {4},
       false},
      {"sweep of one that was given a record",
       [](Scene& s) {
         s.take(4);
         s.offer(2);
         s.take(3);
         s.world.kill(4);
       },
       [](Scene& s) { s.sweep_all(1); },
       {4}},
      {"sweep of one that was given room",
       [](Scene& s) {
         for (int i = 0; i < 3; i++) s.offer(2);
         s.push(4);
         s.push(3);
         s.poll(2);
         s.acknowledge(2);
         s.world.kill(4);
       },
       [](Scene& s) { s.sweep_all(1); },
       {4}},
      {"attach", nothing,
       [](Scene& s) {
         core::QueueId id;
         core::QueueConfig stored;
         s.actors[1].member->attach(u"new", 3, {2, 8}, id, stored);
         s.actors[1].member->offer(id, 1, "x", 1);
       }},
  };
}

// ---- dying ---------------------------------------------------------------------------------------------------------

// Rings have a place more than records there, or (with the other) as many: then an entry may be overwritten before the head has moved.
constexpr std::uint32_t kRoom = 3;
constexpr std::uint32_t kTightRoom = 2;

struct Options {
  const char* only = nullptr;
  unsigned deep = 8;
  unsigned stops = 3;
} options;

struct State {
  std::vector<unsigned char> arena;
  Ledger ledger;
};

State state_of(const Scene& scene) {
  const auto* from = static_cast<const unsigned char*>(scene.world.base);
  return {{from, from + scene.world.size}, *scene.ledger};
}

void become(Scene& scene, const State& state, int sharing) {
  for (const auto& [at, size] : {std::pair<void*, std::size_t>(scene.world.base, scene.world.size), {scene.ledger, sizeof(Ledger)}}) {
    if (mmap(at, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at) std::abort();
  }
  std::memcpy(scene.world.base, state.arena.data(), state.arena.size());
  *scene.ledger = state.ledger;
}

void bury(Scene& scene, const Dead& dead) {
  for (const Id id : dead) {
    scene.world.kill(id);
    scene.actors[id].holds.clear();  // what it knew dies with it
  }
}

// More than a lap of every ring, with what there is.
void work(Scene& scene, const Dead& dead) {
  for (int round = 0; round < 6; round++) {
    for (const Id id : Scene::living(dead)) {
      scene.offer(id, 1 + id % 2);
      scene.collect(id);
      if (!scene.actors[id].holds.empty() || scene.poll(id)) round % 3 == 2 ? scene.put_back(id) : scene.acknowledge(id);
    }
  }
}

constexpr int kWays = 4;

void recover(Scene& scene, const Dead& dead, int way) {
  switch (way) {
    case 0:
      bury(scene, dead);
      break;
    case 1:
      scene.ordered = false;
      work(scene, dead);
      bury(scene, dead);
      break;
    case 2:
      bury(scene, dead);
      scene.ordered = false;  // what was given to two waits comes back as they are given up
      for (const Id id : Scene::living(dead)) {
        while (!scene.actors[id].waits.empty()) scene.abort(id);
      }
      break;
    case 3:
      bury(scene, dead);
      scene.ordered = false;
      for (const Id id : Scene::living(dead)) id % 2 == 0 ? scene.take(id) : scene.push(id);
      break;
  }
  const Id first = Scene::living(dead).front();
  CHECK(scene.sweep_all(first));
  scene.settle(dead);
  CHECK(scene.sweep_all(first));
  scene.verify(dead);
}

void do_act(const Scenario& scenario, Scene& scene) {
  try {
    scenario.act(scene);
  } catch (const std::exception& error) {
    std::printf("FAIL %s: %s\n%s", scenario.name, error.what(), scene.dump().c_str());
    std::fflush(stdout);
    _exit(1);
  }
}

std::uint64_t recoveries, instructions, states, stops, stepped_stops;

bool step_recovery(Scene& scene, const State& from, const Dead& first, const std::string& where) {
  return in_child(where + ", stepping the recovery", kCheckSeconds, scene, [&] {
    alarm(0);
    become(scene, from, MAP_SHARED);
    bury(scene, first);
    constexpr Id kRecoverer = 2;
    Dead all = first;
    all.push_back(kRecoverer);
    Stepper stepper([&] { scene.sweep_all(kRecoverer); }, [] { return 0; });
    State before = from;
    std::uint64_t seen = 0;
    while (stepper.step()) {
      if (std::memcmp(before.arena.data(), scene.world.base, before.arena.size()) == 0) continue;
      before = state_of(scene);
      const int way = static_cast<int>(seen++ % kWays);
      const std::string at =
          where + ", then the recovery's instruction " + std::to_string(stepper.instructions()) + ", way " + std::to_string(way);
      if (!in_child(at, kCheckSeconds, scene, [&] {
            become(scene, before, MAP_PRIVATE);
            recover(scene, all, way);
          })) {
        throw Failure("see above");
      }
    }
    if (stepper.gone()) throw Failure("the recovering process ended by itself");
  });
}

bool die_everywhere(const Scenario& scenario, std::uint32_t room) {
  Scene scene(room);
  scene.ordered = scenario.ordered;
  scenario.prepare(scene);
  Dead dead = scenario.dead;
  dead.push_back(1);
  Stepper stepper([&] { do_act(scenario, scene); }, [] { return 0; });
  State before = state_of(scene);
  Ledger last = before.ledger;
  std::uint64_t seen = 0;
  bool good = true;
  const auto examine = [&] {
    const std::string where = std::string(scenario.name) + ", dead after instruction " + std::to_string(stepper.instructions());
    for (int way = 0; way < kWays && good; way++) {
      recoveries++;
      good = in_child(where + ", way " + std::to_string(way), kCheckSeconds, scene, [&] {
        become(scene, before, MAP_PRIVATE);
        recover(scene, dead, way);
      });
    }
    if (good && room == kRoom && options.deep != 0 && seen % options.deep == 0) good = step_recovery(scene, before, dead, where);
  };
  examine();
  while (good && stepper.step()) {
    const bool same = std::memcmp(before.arena.data(), scene.world.base, before.arena.size()) == 0;
    if (same && std::memcmp(&last, scene.ledger, sizeof(Ledger)) == 0) continue;
    before = state_of(scene);
    last = before.ledger;
    seen++;
    examine();
  }
  instructions += stepper.instructions();
  states += seen;
  if (good && stepper.gone()) {
    std::printf("FAIL %s: the stepped process ended by itself\n", scenario.name);
    good = false;
  }
  std::printf("%-56s %6llu instructions %4llu states%s\n", scenario.name, static_cast<unsigned long long>(stepper.instructions()),
              static_cast<unsigned long long>(seen), good ? "" : "  FAILED");
  return good;
}

// Stopped at one state while others work for more than a lap, then it goes on; only at the end it is dead.
std::vector<Landmark> landmarks_of(const Scenario& scenario) {
  Scene scene(kRoom);
  scene.ordered = false;
  scenario.prepare(scene);
  Stepper stepper([&] { do_act(scenario, scene); }, [] { return 0; });
  return landmarks_of(stepper, scene.world.base, scene.world.size);
}

// As in step.cc: without a landmark each state is stepped to.
bool stop_at(const Scenario& scenario, std::uint64_t wanted, const Landmark* landmark, bool& reached) {
  Scene scene(kRoom);
  scene.ordered = false;
  scenario.prepare(scene);
  Dead away = scenario.dead;
  away.push_back(1);
  try {
    Stepper stepper([&] { do_act(scenario, scene); }, [] { return 0; });
    State before = state_of(scene);
    std::uint64_t seen = 0;
    reached = wanted == 0;
    if (!reached && landmark != nullptr) {
      reached = reach(stepper, *landmark, scene.world.base, scene.world.size);
      if (!reached) return stop_at(scenario, wanted, nullptr, reached);
    } else if (!reached) {
      stepped_stops++;
    }
    while (!reached && stepper.step()) {
      if (std::memcmp(before.arena.data(), scene.world.base, before.arena.size()) == 0) continue;
      before = state_of(scene);
      reached = ++seen == wanted;
    }
    if (!reached) return true;
    stops++;
    for (const Id id : Scene::living(away)) {
      if (id == 3) scene.abort(id);
    }
    work(scene, away);
    stepper.let_go();
    if (stepper.exit_status() != 0) throw Failure("the one that was stopped failed");
    if (scenario.dead.empty()) {
      for (const core::Counter counter : {core::Counter::kTakeovers, core::Counter::kRescans, core::Counter::kProbeHandoffs}) {
        CHECK_EQUAL(scene.world.counter(counter), 0u);
      }
    }
    // Without any sweep: what was offered can be had, unless the one that went on had it.
    while (scene.poll(2)) scene.acknowledge(2);
    for (int record = 0; record < kRecords; record++) {
      const bool had = scene.ledger->deliveries[record] > 0 || scene.ledger->acknowledged[record] != Deed::kNot;
      if (scene.ledger->offered[record] == Deed::kDone && !had && scene.nobody_was_given()) throw Failure("a record cannot be had");
    }
    bury(scene, away);
    CHECK(scene.sweep_all(2) || scene.sweep_all(2));
    scene.settle(away);
    CHECK(scene.sweep_all(2));
    scene.verify(away);
  } catch (const std::exception& error) {
    std::printf("FAIL %s, stopped after state %llu: %s\n%s", scenario.name, static_cast<unsigned long long>(wanted), error.what(),
                scene.dump().c_str());
    return false;
  }
  return true;
}

bool stop_everywhere(const Scenario& scenario) {
  if (options.stops == 0) return true;
  const std::vector<Landmark> landmarks = landmarks_of(scenario);
  for (std::uint64_t state = 0; state <= landmarks.size(); state += options.stops) {
    bool reached = false;
    if (!stop_at(scenario, state, state == 0 ? nullptr : &landmarks[state - 1], reached)) return false;
    if (!reached) break;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  resolve_symbols_first(argv);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--only") options.only = argv[i + 1];
    if (key == "--deep") options.deep = static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10));
    if (key == "--stops") options.stops = static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10));
  }
  unsigned passed = 0;
  unsigned failed = 0;
  for (const Scenario& scenario : all_scenarios()) {
    if (options.only != nullptr && std::string(scenario.name).find(options.only) == std::string::npos) continue;
    bool good = false;
    try {
      good = die_everywhere(scenario, kRoom) && die_everywhere(scenario, kTightRoom) && stop_everywhere(scenario);
    } catch (const std::exception& error) {
      std::printf("FAIL %s: %s\n", scenario.name, error.what());
    }
    (good ? passed : failed)++;
  }
  std::printf("%llu instructions, %llu states, %llu recoveries, %llu stops, %llu of them stepped to\n",
              static_cast<unsigned long long>(instructions), static_cast<unsigned long long>(states),
              static_cast<unsigned long long>(recoveries), static_cast<unsigned long long>(stops),
              static_cast<unsigned long long>(stepped_stops));
  std::printf("%u passed, %u failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
