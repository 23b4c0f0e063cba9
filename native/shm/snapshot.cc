#include "shm/snapshot.h"

#include <algorithm>

#include "core/moment.h"

namespace forelock::shm {

namespace {

using core::SlotState;
using core::Status;

void identify(const core::Arena& arena, core::ParticipantId id, PartyView& view) {
  view.participant = id;
  if (id == 0 || id > arena.capacity().participants) return;
  const core::Participant& place = arena.participant(id);
  const core::LifeWord life = core::LifeWord::of(place.life.load(std::memory_order_acquire));
  view.pid = place.pid.peek();
  view.tid = place.tid.peek();
  view.pid_namespace = place.pid_namespace.peek();
  view.alive = life.life == core::Life::kAlive;
  view.client = std::to_string(view.pid) + ":" + std::to_string(id) + ":" + std::to_string(life.incarnation);
}

class Look {
 public:
  // `steps`: how many more slots may be looked at.
  Look(const core::Arena& arena, core::Nanos now, core::ElementIndex index, std::uint64_t& steps)
      : arena_(arena), now_(now), element_(arena.element(index)), steps_(steps) {}

  void run(ElementView& view) {
    owner(view);
    holders(view);
    waiters(view);
  }

 private:
  void owner(ElementView& view) {
    const core::Fast fast = core::Fast::of(element_.fast.load(std::memory_order_acquire));
    if (fast.owner == 0) return;
    PartyView party;
    identify(arena_, fast.owner, party);
    const std::uint32_t since = element_.since.load(std::memory_order_acquire);
    party.tier = since >> 30;
    party.age_ms = static_cast<double>(core::held_for(arena_.header(), now_, since)) / core::kNanosPerMilli;
    party.token = element_.base.load(std::memory_order_relaxed) + fast.sequence;
    view.holders.push_back(party);
  }

  void holders(ElementView& view) {
    for_each(element_.holders, [&](const core::Slot& slot, SlotState state, core::SlotId id) {
      if (state.status != Status::kHeld && state.status != Status::kReady) return;
      PartyView party = describe(slot, id);
      const std::uint64_t latest = core::Fast::of(element_.fast.load(std::memory_order_acquire)).sequence;
      std::uint64_t sequence = (latest & ~0xffffffffull) | state.sequence;
      if (sequence > latest) sequence -= 1ull << 32;
      party.token = element_.base.load(std::memory_order_relaxed) + sequence;
      view.holders.push_back(party);
    });
    std::sort(view.holders.begin(), view.holders.end(), [](const PartyView& a, const PartyView& b) { return a.token < b.token; });
  }

  void waiters(ElementView& view) {
    struct Keyed {
      std::uint64_t key;
      PartyView party;
    };
    std::vector<Keyed> all;
    const std::uint64_t ageing = arena_.header().ageing.load(std::memory_order_relaxed);
    const auto add = [&](const core::Slot& slot, SlotState state, core::SlotId id) {
      if (state.status != Status::kQueued && state.status != Status::kPrepared && state.status != Status::kOffered) return;
      const PartyView party = describe(slot, id);
      const std::uint64_t handicap = (core::kTiers - 1 - party.tier) * (ageing != 0 ? ageing : core::kNever);
      const bool steal = (slot.flags.peek() & core::SlotFlag::kSteal) != 0;
      all.push_back({steal ? 0 : slot.arrival.peek() + handicap, party});
    };
    for (const auto& head : element_.heads) for_each(head, add);
    std::vector<Keyed> inbox;
    std::swap(all, inbox);
    core::SlotId x = core::Gate::of(element_.gate.load(std::memory_order_acquire)).head;
    while (x != 0 && x != core::Gate::kClosed && steps_ > 0) {
      steps_--;
      const core::Slot& slot = arena_.slot(x);
      const SlotState state = SlotState::of(slot.state.load(std::memory_order_acquire));
      if (state.status != Status::kPrepared) break;
      add(slot, state, x);
      x = slot.link.load(std::memory_order_acquire);
    }
    std::reverse(all.begin(), all.end());  // the inbox runs from newest to oldest
    inbox.insert(inbox.end(), all.begin(), all.end());
    std::stable_sort(inbox.begin(), inbox.end(), [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
    for (auto& entry : inbox) view.waiters.push_back(std::move(entry.party));
  }

  PartyView describe(const core::Slot& slot, core::SlotId id) const {
    PartyView party;
    identify(arena_, arena_.owner_of(id).participant, party);
    const std::uint32_t flags = slot.flags.peek();
    party.tier = flags & core::SlotFlag::kTierMask;
    party.shared = (flags & core::SlotFlag::kShared) != 0;
    party.ready = SlotState::of(slot.state.load(std::memory_order_acquire)).status == Status::kReady;
    const core::Nanos arrival = slot.arrival.peek();
    party.age_ms = now_ > arrival ? static_cast<double>(now_ - arrival) / core::kNanosPerMilli : 0;
    return party;
  }

  template <typename Visitor>
  void for_each(const core::atomic<std::uint32_t>& head, Visitor visitor) const {
    core::SlotId x = head.load(std::memory_order_acquire);
    while (x != 0 && steps_ > 0) {
      steps_--;
      const core::Slot& slot = arena_.slot(x);
      visitor(slot, SlotState::of(slot.state.load(std::memory_order_acquire)), x);
      x = slot.next.load(std::memory_order_acquire);
    }
  }

  const core::Arena& arena_;
  const core::Nanos now_;
  const core::Element& element_;
  std::uint64_t& steps_;
};

bool in_use(const core::Element& element) {
  const core::Gate gate = core::Gate::of(element.gate.load(std::memory_order_acquire));
  if (gate.head == core::Gate::kClosed) return false;
  if (gate.head != 0 || element.holders.load(std::memory_order_acquire) != 0) return true;
  if (core::Fast::of(element.fast.load(std::memory_order_acquire)).owner != 0) return true;
  return std::any_of(std::begin(element.heads), std::end(element.heads),
                     [](const auto& head) { return head.load(std::memory_order_acquire) != 0; });
}

}  // namespace

std::vector<ElementView> snapshot(const core::Arena& arena, core::Nanos now, const std::u16string* name) {
  constexpr int kTries = 3;
  // A slot is in one list at most, so all lists together are no longer than that, in each try. Damaged ones may all lead through the
  // same slots, or in circles: what they say is cut short before it fills the memory.
  std::uint64_t steps = std::uint64_t{kTries} * arena.walk_bound();
  std::vector<ElementView> views;
  const std::uint32_t limit = std::min(arena.header().backed_elements.load(std::memory_order_acquire), arena.capacity().elements);
  core::Hash hash{};
  if (name != nullptr)
    hash = core::hash_name(arena.header().seed, static_cast<std::uint32_t>(core::Kind::kLock), name->data(), name->size());
  for (core::ElementIndex index = 0; index < limit; index++) {
    const core::Element& element = arena.element(index);
    const std::uint64_t seen = element.meta.load(std::memory_order_acquire);
    if (core::Meta::state(seen) == core::Meta::kFree || core::Meta::kind(seen) != core::Kind::kLock || !in_use(element)) continue;
    if (name != nullptr && (element.hash[0].peek() != hash.low || element.hash[1].peek() != hash.high)) continue;
    for (int attempt = 0; attempt < kTries; attempt++) {
      const std::uint64_t meta = element.meta.load(std::memory_order_acquire);
      const std::uint64_t gate = element.gate.load(std::memory_order_acquire);
      const std::uint64_t fast = element.fast.load(std::memory_order_acquire);
      ElementView view;
      view.name = core::Table::name_of(arena, index);
      view.kind = core::Meta::kind(meta);
      Look(arena, now, index, steps).run(view);
      const bool moved = element.gate.load(std::memory_order_acquire) != gate || element.fast.load(std::memory_order_acquire) != fast;
      if (moved && attempt + 1 < kTries) continue;
      if (!view.holders.empty() || !view.waiters.empty()) views.push_back(std::move(view));
      break;
    }
  }
  return views;
}

}  // namespace forelock::shm
