// Any bytes in the arena while it is worked with: the input is a list of operations of three members, mixed with writes
// into every section, more often where something lives. Nothing but core::Corrupt may come of it, and every call ends.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "core/deadlock.h"
#include "core/keyed.h"
#include "core/shadow.h"
#include "core/stats.h"
#include "core/sweep.h"
#include "guarded_arena.h"
#include "shm/snapshot.h"

namespace {

using namespace forelock;
using core::Nanos;

constexpr std::size_t kMembers = 3;
constexpr std::size_t kOperationsMax = 400;
constexpr core::Capacity kCapacity{.elements = 24, .slots = 8 * core::kChunkSlots, .participants = 5, .texts = 24, .heap = 48};

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  std::uint32_t byte() { return at_ == end_ ? 0 : *at_++; }
  std::uint32_t below(std::uint32_t limit) { return limit <= 256 ? byte() % limit : (byte() << 8 | byte()) % limit; }
  std::uint64_t word() {
    std::uint64_t out = 0;
    for (int i = 0; i < 8; i++) out = out << 8 | byte();
    return out;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

struct Holding {
  core::Handle handle;
  core::Granted grant;
};

struct Client {
  core::ParticipantId id = 0;
  std::unique_ptr<core::Member> member;  // null: gone, or it has met damage
  std::vector<Holding> holding;
  std::vector<core::WaiterId> waiting;
  std::vector<std::uint64_t> taken;  // cells of queues in hand
};

class Session {
 public:
  Session(const std::uint8_t* data, std::size_t size) : input_(data, size), world_(kCapacity), arena_(*world_.arena) {
    for (std::size_t i = 0; i < kMembers; i++) join(clients_[i], static_cast<core::ParticipantId>(i + 1));
  }

  void run() {
    for (std::size_t i = 0; i < kOperationsMax && !input_.empty(); i++) {
      Client& client = clients_[input_.below(kMembers)];
      try {
        operate(client, input_.below(36));
      } catch (const core::Corrupt&) {
        // As the binding does: this client believes the arena no more, the others go on.
        if (client.member) client.member->fail_all(core::Outcome::kCorrupt);
        client.member.reset();
      }
    }
  }

 private:
  void join(Client& client, core::ParticipantId id) {
    std::uint32_t incarnation = 0;
    if (!core::begin_join(arena_, id, incarnation) || !core::finish_join(arena_, id, incarnation)) return;
    client = {};
    client.id = id;
    client.member = std::make_unique<core::Member>(arena_, id, incarnation);
  }

  void operate(Client& client, std::uint32_t what) {
    if (what < 3) return damage();
    if (what == 3) return look();
    if (what == 4) return waker(client);
    if (what == 5) return replace(client);
    if (!client.member) return;
    core::Member& member = *client.member;
    switch (what) {
      case 6:
        world_.host.time += input_.below(60'000) * core::kNanosPerMilli;
        break;
      case 7:
        member.expire();
        break;
      case 8:
        member.inherit_tiers();
        break;
      case 9:
      case 10:
        release(client);
        break;
      case 11:
        end_wait(client);
        break;
      case 12:
        try_lock(client);
        break;
      case 20:
      case 21:
      case 22:
        keyed(member);
        break;
      case 23:
      case 24:
      case 25:
      case 26:
        queue(client);
        break;
      case 27:
      case 28:
      case 29:
        bucket(client);
        break;
      case 30:
      case 31:
      case 32:
        pool(client);
        break;
      case 33:
      case 34:
        plan(member);
        break;
      case 35:
        together(client);
        break;
      default:
        lock(client);
        break;
    }
    if (member.lane().own_wake || what == 7 || what == 8) member.collect();
    settle(client);
  }

  bool find(core::Member& member, core::Handle& out) {
    member.lane().refresh();
    std::u16string name(1, static_cast<char16_t>(u'a' + input_.below(40)));
    if (input_.below(8) == 0) name.resize(30 + input_.below(200), u'\xe9');
    return member.lookup(static_cast<core::Kind>(input_.below(3)), name.data(), name.size(), out) == core::Found::kOk;
  }

  bool read(Client& client, core::Request& request) {
    if (!find(*client.member, request.handle)) return false;
    const std::uint32_t bits = input_.byte();
    request.tier = bits & 3;
    request.shared = (bits & 4) != 0;
    request.steal = !request.shared && (bits & 8) != 0;
    request.ttl = (bits & 16) != 0 ? 1 + input_.byte() : 0;
    request.deadline = (bits & 32) != 0 ? world_.host.time + input_.below(5'000) * core::kNanosPerMilli : 0;
    request.arrival = (bits & 64) != 0 ? world_.host.time - input_.byte() : 0;
    for (const Holding& held : client.holding) {
      if ((bits & 128) == 0 || request.enclosing_count == core::kEnclosingMax) break;
      enclosing_[request.enclosing_count++] = {held.handle.index, held.grant.sequence, held.grant.waiter};
    }
    request.enclosing = enclosing_.data();
    return true;
  }

  void lock(Client& client) {
    core::Request request;
    core::Granted grant;
    if (!read(client, request)) return;
    const core::Answer answer = client.member->lock(request, grant);
    if (answer == core::Answer::kOk) client.holding.push_back({request.handle, grant});
    if (answer == core::Answer::kWait) client.waiting.push_back(grant.waiter);
  }

  void try_lock(Client& client) {
    core::Request request;
    core::Granted grant;
    if (!read(client, request)) return;
    request.deadline = 0;
    if (client.member->try_lock(request, grant) == core::Answer::kOk) client.holding.push_back({request.handle, grant});
  }

  void release(Client& client) {
    if (client.holding.empty()) return;
    const std::size_t at = input_.below(static_cast<std::uint32_t>(client.holding.size()));
    const Holding held = client.holding[at];
    client.holding.erase(client.holding.begin() + static_cast<std::ptrdiff_t>(at));
    if (held.grant.waiter == core::kNoWaiter) {
      client.member->release(held.handle.index, held.grant.sequence);
    } else {
      client.member->release_shared(held.grant.waiter, held.grant.sequence);
    }
  }

  // A family of buckets: by few keys, so that they meet.
  void keyed(core::Member& member) {
    core::Handle handle{};
    core::Pace pace{};
    member.lane().refresh();
    core::Pace::of(1 + input_.below(3), 1000, 4, pace);
    if (member.lookup(core::Kind::kKeyed, u"k", 1, handle) != core::Found::kOk) return;
    const core::KeyedMade made = core::define_keyed(arena_, handle.index, pace, 16);
    if (made == core::KeyedMade::kNoHeap || made == core::KeyedMade::kOutOfMemory) return;
    core::Keyed family(arena_, handle.index, member.lane().id);
    core::KeyedTokens out;
    for (std::uint32_t i = input_.below(24); i > 0; i--) {
      const char16_t name = static_cast<char16_t>(input_.below(80));
      const core::Hash key = core::hash_key(arena_.header().seed, &name, 1);
      const double tokens = 1 + input_.below(4);
      switch (input_.below(12)) {
        case 0:
          family.peek(key, tokens, out);
          break;
        case 1:
          family.refund(key, tokens);
          break;
        case 2:
          family.change(pace);
          break;
        default:
          family.take(key, tokens, out);
          break;
      }
    }
  }

  // Of a hierarchy of two and one alone.
  bool find_bucket(core::Member& member, core::Handle& out) {
    const char16_t name = static_cast<char16_t>(u'A' + input_.below(3));
    if (member.lookup(core::Kind::kBucket, &name, 1, out) != core::Found::kOk) return false;
    core::BucketTerms terms;
    if (!core::Pace::of(1 + input_.below(200), 1'000, 1 + input_.below(6), terms.pace)) return false;
    if (name == u'B') {
      core::Handle above{};
      terms.has_parent = member.lookup(core::Kind::kBucket, u"A", 1, above) == core::Found::kOk && core::Bucket::is(arena_, above.index);
      terms.parent = above.index;
    }
    core::define_bucket(arena_, out.index, terms);
    return core::Bucket::is(arena_, out.index);
  }

  core::Request ask(core::Kind kind, core::Handle handle) {
    core::Request request;
    request.handle = handle;
    request.kind = kind;
    request.shared = kind == core::Kind::kPool;
    const std::uint32_t bits = input_.byte();
    request.tier = bits & 3;
    request.deadline = (bits & 4) != 0 ? world_.host.time + input_.below(5'000) * core::kNanosPerMilli : 0;
    request.tenant = (bits >> 3) & 3;
    request.workflow = (bits >> 5) & 3;
    request.revocable = (bits & 128) != 0;
    return request;
  }

  void bucket(Client& client) {
    core::Member& member = *client.member;
    core::Handle handle{};
    member.lane().refresh();
    if (!find_bucket(member, handle)) return;
    core::Request request = ask(core::Kind::kBucket, handle);
    const double count = static_cast<double>(1 + input_.below(16)) / 2;
    request.amounts[0] = std::bit_cast<std::uint64_t>(count);
    core::Granted grant;
    core::Tokens out;
    core::Pace pace{};
    switch (input_.below(8)) {
      case 0:
        member.give_back_tokens(handle.index, count);
        break;
      case 1:
        if (core::Pace::of(1 + input_.below(2'000), 1 + input_.below(60'000), 1 + input_.below(6), pace))
          member.change_pace(handle.index, pace);
        break;
      case 2:
        core::Bucket(arena_, handle.index).peek(count, world_.host.time, out);
        sum_ +=
            core::Bucket(arena_, handle.index).full_at(world_.host.time) + core::Bucket(arena_, handle.index).reserved(world_.host.time);
        break;
      case 3:
      case 4:
        if (member.tokens(request, grant) == core::Answer::kWait) client.waiting.push_back(grant.waiter);
        break;
      default:
        member.try_tokens(request, out);
        break;
    }
    sum_ += out.remaining + member.next_deadline();
  }

  bool find_pool(core::Member& member, core::Handle& out) {
    const char16_t name = static_cast<char16_t>(u'P' + input_.below(2));
    if (member.lookup(core::Kind::kPool, &name, 1, out) != core::Found::kOk) return false;
    core::define_pool(arena_, out.index, terms_of_pool());
    return core::Pool::is(arena_, out.index);
  }
  core::PoolPlan terms_of_pool() {
    core::PoolPlan plan;
    plan.dimensions = 2;
    for (std::uint32_t d = 0; d < plan.dimensions; d++) {
      plan.names[d][0] = static_cast<char>('a' + d);
      plan.capacity[d] = input_.below(12);
      for (auto& tier : plan.tiers) {
        tier.ceiling[d] = 1 + input_.below(12);
        tier.share[d] = input_.below(4);
      }
      plan.tiers[3].floor[d] = input_.below(3);
    }
    plan.tenants = 1;
    plan.tenant[0] = 1;
    plan.weight[0] = 1 + input_.below(3);
    return plan;
  }

  void pool(Client& client) {
    core::Member& member = *client.member;
    core::Handle handle{};
    member.lane().refresh();
    if (!find_pool(member, handle)) return;
    core::Request request = ask(core::Kind::kPool, handle);
    for (int d = 0; d < 2; d++) request.amounts[d] = input_.below(8);
    core::Granted grant;
    switch (input_.below(8)) {
      case 0: {
        core::PoolTerms terms{};
        terms_of_pool().write(terms);
        member.change_pool(handle.index, terms);
        break;
      }
      case 1:
        for (const Holding& held : client.holding) {
          if (held.grant.waiter == core::kNoWaiter) continue;
          member.shrink(held.grant.waiter, held.grant.sequence, request.amounts);
          sum_ += member.is_recalled(held.grant.waiter, held.grant.sequence) ? 1 : 0;
          break;
        }
        break;
      case 2:
      case 3:
      case 4:
        if (member.units(request, grant) == core::Answer::kWait) client.waiting.push_back(grant.waiter);
        break;
      default:
        if (member.try_units(request, grant) == core::Answer::kOk) client.holding.push_back({handle, grant});
        break;
    }
  }

  void plan(core::Member& member) {
    core::Handle handle{};
    core::Plan plan;
    plan.kind = static_cast<core::PlanKind>(1 + input_.below(5));
    const bool found = plan.kind == core::PlanKind::kHold      ? find(member, handle)
                       : plan.kind == core::PlanKind::kReserve ? find_bucket(member, handle)
                       : plan.kind == core::PlanKind::kKeep
                           ? (input_.below(2) == 0 ? find_bucket(member, handle) : find_pool(member, handle))
                       : plan.kind != core::PlanKind::kEscalation ? find_pool(member, handle)
                                                                  : true;
    if (!found) return;
    plan.what = plan.kind == core::PlanKind::kEscalation ? 0 : handle.index + 1;
    plan.who = input_.below(4);
    plan.tier = input_.below(core::kTiers);
    plan.source = input_.below(core::kPlanSources);
    plan.amount = input_.below(200) / 10.0;
    plan.from = world_.host.time + input_.below(3'000) * core::kNanosPerMilli;
    plan.until = plan.from + input_.below(5'000) * core::kNanosPerMilli;
    switch (input_.below(4)) {
      case 0:
        member.withdraw_plan({input_.below(core::kPlans), input_.below(20)});
        break;
      case 1:
        member.withdraw_plan(plan_);
        break;
      case 2:
        member.sweep_plans();
        sum_ += member.next_plan_end();
        break;
      default:
        member.write_plan(plan, plan_);
        break;
    }
  }

  // Several at once, as one admission asks for them.
  void together(Client& client) {
    pool(client);
    bucket(client);
    try_lock(client);
  }

  void queue(Client& client) {
    core::Member& member = *client.member;
    core::QueueId id = input_.below(2);
    if (!member.uses(id)) {
      const char16_t name = static_cast<char16_t>(u'q' + id);
      core::QueueConfig stored{};
      if (member.attach(&name, 1, {4, 32}, id, stored) != core::Attached::kOk) return;
    }
    core::Granted grant;
    core::Request request;
    request.tier = input_.below(core::kTiers);
    const std::uint64_t sequence = client.taken.empty() ? input_.byte() : client.taken.back();
    switch (input_.below(8)) {
      case 0:
      case 1:
        member.offer(id, request.tier, "some bytes of a record", input_.below(23));
        break;
      case 2:
        if (member.poll(id, grant) == core::Answer::kOk) client.taken.push_back(grant.sequence);
        break;
      case 3:
        if (member.wait_for_item(id, request, grant) == core::Answer::kOk) client.taken.push_back(grant.sequence);
        break;
      case 4:
        if (member.wait_for_room(id, request, grant) == core::Answer::kOk) member.fill(id, grant.sequence, request.tier, "room", 4);
        break;
      case 5:
        member.acknowledge(id, sequence);
        if (!client.taken.empty()) client.taken.pop_back();
        break;
      case 6:
        member.put_back(id, sequence);
        if (!client.taken.empty()) client.taken.pop_back();
        break;
      default:
        core::Item item{};
        if (member.look(id, sequence, item)) sum_ += std::accumulate(item.bytes, item.bytes + item.length, 0u);
        sum_ += member.queue(id).size();
        break;
    }
  }

  void end_wait(Client& client) {
    if (client.waiting.empty()) return;
    const core::WaiterId waiter = client.waiting[input_.below(static_cast<std::uint32_t>(client.waiting.size()))];
    if (input_.below(3) == 0) {
      client.member->upgrade(waiter, input_.below(core::kTiers));
    } else {
      client.member->abort(waiter);
      std::erase(client.waiting, waiter);
    }
  }

  void settle(Client& client) {
    while (client.member->has_settled()) {
      const core::Settled settled = client.member->next_settled();
      std::erase(client.waiting, settled.waiter);
      if (settled.outcome == core::Outcome::kGranted) client.holding.push_back({{0, 0}, settled.grant});
      if (settled.outcome == core::Outcome::kGranted) client.taken.push_back(settled.grant.sequence);
    }
  }

  // What the waker thread and an onlooker do: they, too, read whatever stands there.
  void waker(Client& client) {
    if (client.id == 0) return;
    core::Lane lane(arena_, client.id, core::Thread::kWaker);
    lane.refresh();
    core::sweep_all(lane);
    core::find_cycle(arena_, 1 + input_.below(2 * core::kChunkSlots));
    core::GateKeeper(lane, input_.below(kCapacity.elements)).visit(true);
  }

  void look() {
    shm::snapshot(arena_, world_.host.time, nullptr);
    const std::u16string name(1, static_cast<char16_t>(u'a' + input_.below(40)));
    shm::snapshot(arena_, world_.host.time, &name);
    const auto kind = static_cast<core::Kind>(input_.below(3));
    core::Handle handle{};
    core::ShadowView view;
    if (!core::find_element(arena_, kind, name.data(), name.size(), handle)) return;
    if (!core::look(arena_, kind, handle, world_.host.time, view)) return;
    core::order_of(view, 1 + input_.byte());
    core::counted_of(arena_, handle, input_.below(4));
    if (kind == core::Kind::kBucket && core::Bucket::is(arena_, handle.index)) {
      core::foresee_tokens(arena_, view, 1 + input_.byte(), input_.below(4), {}, world_.host.time);
    }
  }

  // Death, by whatever was going on, and a newcomer in its place once it is swept.
  void replace(Client& client) {
    if (client.id == 0) return;
    const core::ParticipantId id = client.id;
    core::mark_dead(arena_, id, arena_.participant(id).life.load(std::memory_order_acquire));
    client.member.reset();
    for (Client& other : clients_) {
      if (!other.member || &other == &client) continue;
      core::Lane lane(arena_, other.id, core::Thread::kWaker);
      lane.refresh();
      core::sweep_all(lane);
      break;
    }
    if (core::LifeWord::of(arena_.participant(id).life.load(std::memory_order_acquire)).life == core::Life::kFree) join(client, id);
  }

  // Somewhere in the record of a bucket or a pool.
  std::size_t record() {
    const core::Layout& layout = arena_.layout();
    const core::Element& element = arena_.element(input_.below(kCapacity.elements));
    const std::size_t bytes =
        core::Meta::kind(element.meta.load()) == core::Kind::kPool ? sizeof(core::PoolRecord) : sizeof(core::BucketRecord);
    return layout.heap + element.base.load() % (layout.heap_bytes - bytes) + input_.below(static_cast<std::uint32_t>(bytes));
  }

  void damage() {
    const core::Layout& layout = arena_.layout();
    std::size_t offset = 0;
    switch (input_.below(16)) {
      case 12:
      case 13:
        offset = record();
        break;
      case 14:
        offset = layout.heap + arena_.header().plans.load() % (layout.heap_bytes - sizeof(core::PlanTable)) +
                 sizeof(core::PlanEntry) * (plan_.entry % core::kPlans) + input_.below(sizeof(core::PlanEntry));
        break;
      case 10:
        offset = layout.heap + core::kHeapStart + input_.below(sizeof(core::KeyedRecord));
        break;
      case 11:
        offset = layout.heap + input_.below(static_cast<std::uint32_t>(layout.heap_bytes));
        break;
      case 0:
        offset = input_.below(sizeof(core::Header));
        break;
      case 1:
        offset = layout.participants + input_.below(sizeof(core::Participant) * (kCapacity.participants + 1));
        break;
      case 2:
        offset = layout.chunk_owners + input_.below(8 * 8);
        break;
      case 3:
        offset = layout.buckets + input_.below(64 * 8);
        break;
      case 4:
        offset = layout.held + layout.held_bytes * input_.below(kMembers + 1) + input_.below(4);
        break;
      case 5:
        offset = layout.texts + input_.below(sizeof(core::Text) * 4);
        break;
      case 6:
      case 7:
        offset = layout.elements + input_.below(sizeof(core::Element) * 4);
        break;
      default:
        offset = layout.slots + kChunkOffset[input_.below(3)] + input_.below(sizeof(core::Slot) * 6);
        break;
    }
    const std::uint32_t how = input_.below(4);
    unsigned char* at = world_.base() + offset;
    const std::size_t room = std::min<std::size_t>(world_.size() - offset, 8);
    if (how == 0) {
      *at = static_cast<unsigned char>(input_.byte());
    } else if (how == 1) {
      *at = static_cast<unsigned char>(*at ^ (1u << input_.below(8)));
    } else {
      // Small numbers make links that lead somewhere; the rest is any word at all.
      const std::uint64_t word = how == 2 ? input_.below(8) : input_.word();
      at -= offset % 4;
      std::memcpy(at, &word, how == 2 ? 4 : room);
    }
  }

  static constexpr std::size_t kChunkOffset[3] = {0, sizeof(core::Slot) * core::kChunkSlots, 2 * sizeof(core::Slot) * core::kChunkSlots};

  Input input_;
  test::GuardedArena world_;
  core::Arena& arena_;
  std::array<Client, kMembers> clients_;
  std::array<core::EnclosingGrant, core::kEnclosingMax> enclosing_{};
  core::PlanId plan_{};
  std::uint64_t sum_ = 0;  // of what was read, so that it is
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    Session(data, size).run();
  } catch (const core::Corrupt&) {
    // joining, or looking from outside, met the damage
  }
  return 0;
}
