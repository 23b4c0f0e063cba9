// An environment and its queues.
#include <algorithm>
#include <cstring>

#include "core/member.h"

namespace forelock::core {

namespace {

Attached to_attached(Found found) {
  switch (found) {
    case Found::kOk:
      return Attached::kOk;
    case Found::kNoElements:
      return Attached::kNoElements;
    case Found::kNoNames:
      return Attached::kNoNames;
    case Found::kNameTooLong:
      return Attached::kNameTooLong;
    case Found::kOutOfMemory:
      return Attached::kOutOfMemory;
  }
  return Attached::kOutOfMemory;
}

}  // namespace

Attached Member::attach(const char16_t* name, std::size_t length, QueueConfig wanted, QueueId& out, QueueConfig& stored) {
  lane_.refresh();
  Handle items, room;
  if (const Found found = lookup(Kind::kQueue, name, length, items); found != Found::kOk) return to_attached(found);
  if (const Found found = lookup(Kind::kRoom, name, length, room); found != Found::kOk) return to_attached(found);
  auto& base = arena_.element(items.index).base;
  std::uint64_t offset = base.load(memory_order_acquire);
  if (offset == 0) {
    const QueueConfig config{wanted.capacity == 0 ? kDefaultCells : wanted.capacity,
                             wanted.max_bytes == 0 ? kDefaultItemBytes : wanted.max_bytes};
    const Made made = Queue::make(arena_, items.index, room.index, config, offset);
    if (made != Made::kOk) return made == Made::kNoHeap ? Attached::kNoHeap : Attached::kOutOfMemory;
  }
  const Queue queue(arena_, offset);
  if (queue.items() != items.index || queue.room() != room.index) throw Corrupt("a queue's record belongs to another");
  stored = queue.config();
  if ((wanted.capacity != 0 && wanted.capacity != stored.capacity) || (wanted.max_bytes != 0 && wanted.max_bytes != stored.max_bytes)) {
    return Attached::kConfig;
  }
  // Whoever made the record may have died before this; the value is the same whoever writes it.
  std::uint64_t none = 0;
  arena_.element(room.index).base.compare_exchange_strong(none, offset, memory_order_acq_rel, memory_order_relaxed);
  const auto known = std::find_if(queues_.begin(), queues_.end(), [&](const Queue& other) { return other.items() == items.index; });
  out = static_cast<QueueId>(known - queues_.begin());
  if (known != queues_.end()) return Attached::kOk;
  queues_.push_back(queue);
  // For good, and before anything of it is in hand: a sweep of ours looks at it, and who waits there asks whether we are alive.
  hold_bit(items.index);
  queue.use(participant_);
  return Attached::kOk;
}

// Those who wait go first. False when somebody waits still: then there is nothing to be had, or it is on its way to them.
bool Member::let_pass(ElementIndex index) {
  Element& element = arena_.element(index);
  if (servable(arena_, element)) visit(index, false);
  return (element.fast.load(memory_order_acquire) & Fast::kQueued) == 0;
}

// (q1) put, then look whether somebody waits: who waits says so before looking at what there is.
inline void Member::written(const Queue& queue, const Queue::Seen& seen, std::uint32_t tier, const void* bytes, std::uint32_t length) {
  Cell& cell = queue.cell(seen.cell);
  cell.length.set(length);
  cell.tier.set(tier);
  cell.attempt.set(0);
  std::memcpy(queue.bytes(seen.cell), bytes, length);
  queue.put(seen.cell, fresh_ring(tier));
  if (queue.items_wanted()) visit(queue.items(), true);
}

Answer Member::offer(QueueId id, std::uint32_t tier, const void* bytes, std::uint32_t length) {
  const Queue& queue = queues_[id];
  if (tier >= kTiers || length > queue.config().max_bytes) return Answer::kBadArgument;
  Queue::Seen seen;
  const bool turn = !queue.room_wanted() || let_pass(queue.room());
  if (!turn || !queue.take(kFreeRing, CellStatus::kWriting, participant_, seen)) {
    telemetry_.refused(handle_of(queue.room()), tier, Ending::kBusy);
    return Answer::kBusy;
  }
  queue.prefetch_after(seen);  // free cells are used in turn: it is the one that nobody has touched for longest
  written(queue, seen, tier, bytes, length);
  if (telemetry_.on()) [[unlikely]]
    telemetry_.spent(handle_of(queue.room()), tier, 1);
  return Answer::kOk;
}

// What is at the head of a cell in hand.
inline Item Member::item_in(const Queue& queue, std::uint32_t index) const {
  const Cell& cell = queue.cell(index);
  const Item item{queue.bytes(index), cell.length.get(), cell.tier.get(), cell.attempt.get()};
  if (item.length > queue.config().max_bytes || item.tier >= kTiers) throw Corrupt("a record's header");
  return item;
}

Answer Member::poll(QueueId id, Granted& out, Item& item) {
  const Queue& queue = queues_[id];
  if (queue.items_wanted() && !let_pass(queue.items())) return Answer::kBusy;
  Queue::Seen seen;
  while (queue.first_item(seen)) {
    if (!queue.claim(seen, CellStatus::kTaken, participant_, seen.word)) continue;
    Cell& cell = queue.cell(seen.cell);
    cell.attempt.set(cell.attempt.get() + 1);
    out = {CellHandle::of(seen), kNoWaiter, false};
    item = item_in(queue, seen.cell);
    if (telemetry_.on()) [[unlikely]]
      telemetry_.spent(handle_of(queue.items()), item.tier, 1);
    return Answer::kOk;
  }
  return Answer::kBusy;
}

Answer Member::poll(QueueId id, Granted& out) {
  Item item;
  return poll(id, out, item);
}

Answer Member::wait_for_item(QueueId id, const Request& request, Granted& out) {
  if (!queues_[id].items_wanted() && poll(id, out) == Answer::kOk) return Answer::kOk;
  Request asked = request;
  asked.handle = handle_of(queues_[id].items());
  return begin_wait(asked, out);
}

Answer Member::wait_for_room(QueueId id, const Request& request, Granted& out) {
  const Queue& queue = queues_[id];
  Queue::Seen seen;
  if (!queue.room_wanted() && queue.take(kFreeRing, CellStatus::kWriting, participant_, seen)) {
    if (telemetry_.on()) telemetry_.spent(handle_of(queue.room()), request.tier, 1);
    out = {CellHandle::of(seen), kNoWaiter, false};
    return Answer::kOk;
  }
  Request asked = request;
  asked.handle = handle_of(queue.room());
  return begin_wait(asked, out);
}

// ---- in hand -------------------------------------------------------------------------------------------------------

inline bool Member::in_hand(const Queue& queue, std::uint64_t sequence, CellStatus status, Queue::Seen& out) const {
  out.cell = CellHandle::cell(sequence);
  if (out.cell >= queue.config().capacity) return false;
  out.word = queue.cell(out.cell).state.load(memory_order_acquire);
  const CellWord word = CellWord::of(out.word);
  return word.status == status && word.owner == participant_ && CellHandle::matches(sequence, word);
}

bool Member::look(QueueId id, std::uint64_t sequence, Item& out) const {
  const Queue& queue = queues_[id];
  Queue::Seen seen;
  if (!in_hand(queue, sequence, CellStatus::kTaken, seen)) return false;
  out = item_in(queue, seen.cell);
  return true;
}

Answer Member::fill(QueueId id, std::uint64_t sequence, std::uint32_t tier, const void* bytes, std::uint32_t length) {
  const Queue& queue = queues_[id];
  if (tier >= kTiers || length > queue.config().max_bytes) return Answer::kBadArgument;
  Queue::Seen seen;
  if (!in_hand(queue, sequence, CellStatus::kWriting, seen)) return Answer::kLost;
  written(queue, seen, tier, bytes, length);
  return Answer::kOk;
}

Answer Member::acknowledge(QueueId id, std::uint64_t sequence) {
  const Queue& queue = queues_[id];
  Queue::Seen seen;
  if (!in_hand(queue, sequence, CellStatus::kTaken, seen)) return Answer::kLost;
  const std::uint32_t tier = queue.cell(seen.cell).tier.get();  // as long as it is ours
  queue.put(seen.cell, kFreeRing);
  if (telemetry_.on()) [[unlikely]]
    telemetry_.over(handle_of(queue.items()), tier, Ending::kSuccess);
  if (queue.room_wanted()) visit(queue.room(), true);
  return Answer::kOk;
}

Answer Member::put_back(QueueId id, std::uint64_t sequence) {
  const Queue& queue = queues_[id];
  Queue::Seen seen;
  if (!in_hand(queue, sequence, CellStatus::kTaken, seen) && !in_hand(queue, sequence, CellStatus::kWriting, seen)) return Answer::kLost;
  const std::uint32_t tier = queue.cell(seen.cell).tier.get();
  if (!queue.put_back(seen)) return Answer::kLost;
  if (telemetry_.on() && CellWord::of(seen.word).status == CellStatus::kTaken) {
    telemetry_.over(handle_of(queue.items()), tier, Ending::kIgnored);
  }
  give_on(queue);
  return Answer::kOk;
}

// To those who wait, after something came back.
void Member::give_on(const Queue& queue) {
  if (queue.items_wanted()) visit(queue.items(), true);
  if (queue.room_wanted()) visit(queue.room(), true);
}

// ---- what was granted to a wait ------------------------------------------------------------------------------------

// Makes what a ready slot was given ours. Until then the cell says that it is given to us, so our death is noticed at either.
bool Member::take_cell(WaiterId waiter, Granted& out) {
  Slot& slot = arena_.slot(slot_of(waiter));
  std::uint64_t seen = slot.state.load(memory_order_acquire);
  const SlotState state = SlotState::of(seen);
  if (state.status != Status::kReady || state.sequence == 0) return false;
  const Element& element = arena_.element(slot.element.get());
  const Queue queue(arena_, element.base.load(memory_order_acquire));
  const bool room = Meta::kind(element.meta.load(memory_order_acquire)) == Kind::kRoom;
  Cell& cell = queue.cell(state.sequence - 1);
  std::uint64_t word = cell.state.load(memory_order_acquire);
  CellWord taken = CellWord::of(word);
  if (taken.status != CellStatus::kGiven || taken.owner != participant_ || static_cast<std::uint32_t>(taken.ticket) != slot.ttl.get()) {
    throw Corrupt("a cell that was given is not there");
  }
  if (!slot.state.compare_exchange_strong(seen, state.with(Status::kFree).word(), memory_order_acq_rel, memory_order_acquire)) return false;
  taken.status = room ? CellStatus::kWriting : CellStatus::kTaken;
  if (!cell.state.compare_exchange_strong(word, taken.word(), memory_order_acq_rel, memory_order_relaxed)) {
    throw Corrupt("a cell that was given went to another");
  }
  if (!room) cell.attempt.set(cell.attempt.get() + 1);
  retire_slot(waiter);
  out = {CellHandle::of({state.sequence - 1, taken.word()}), kNoWaiter, false};
  return true;
}

// What was granted and is not wanted any more.
void Member::return_cell(ElementIndex index, std::uint64_t sequence) {
  const Queue queue(arena_, arena_.element(index).base.load(memory_order_acquire));
  Queue::Seen seen;
  if (in_hand(queue, sequence, CellStatus::kTaken, seen)) {
    // It was never looked at, so this was no delivery.
    Cell& cell = queue.cell(seen.cell);
    cell.attempt.set(cell.attempt.get() - 1);
  } else if (!in_hand(queue, sequence, CellStatus::kWriting, seen)) {
    return;
  }
  queue.put_back(seen);
  give_on(queue);
}

}  // namespace forelock::core
