// The gate of a queue's elements: a waiting consumer is given a record, a waiting producer a free cell. As with a lock, one
// committed word decides, here that of the cell, which then says for whom it is.
#include "core/gate.h"
#include "core/queue.h"

namespace forelock::core {

namespace {

std::uint32_t low(std::uint64_t ticket) { return static_cast<std::uint32_t>(ticket); }

// What a slot notes of the cell that it is offered: its number plus one where a lock has its sequence, and its ticket.
bool committed(const Queue& queue, const Slot& slot, SlotState state, ParticipantId owner, Queue::Seen& out) {
  if (state.sequence == 0) return false;
  out.cell = state.sequence - 1;
  out.word = queue.cell(out.cell).state.load(memory_order_acquire);
  const CellWord word = CellWord::of(out.word);
  return word.status == CellStatus::kGiven && word.owner == owner && low(word.ticket) == slot.ttl.get();
}

}  // namespace

// Offer, commit, unlink, announce, ready. Somebody who waits for nothing may take the cell first: then the next one is offered.
void GateKeeper::grant_cell(SlotId id) {
  Slot& slot = arena_.slot(id);
  const Queue queue(arena_, element_.base.load(memory_order_acquire));
  const bool room = Meta::kind(element_.meta.load(memory_order_acquire)) == Kind::kRoom;
  const ParticipantId owner = arena_.owner_of(id).participant;
  if (owner == 0) throw Corrupt("a waiting slot has no owner");
  Queue::Seen cell;
  while (room ? queue.first_of(kFreeRing, cell) : queue.first_item(cell)) {
    std::uint64_t seen = slot.state.load(memory_order_acquire);
    const SlotState state = SlotState::of(seen);
    if (state.status != Status::kQueued) return;
    lane_.note(index_, id);
    slot.ttl.set(low(CellWord::of(cell.word).ticket));
    const SlotState offered = state.with(Status::kOffered, cell.cell + 1);
    if (slot.state.compare_exchange_strong(seen, offered.word(), memory_order_acq_rel, memory_order_relaxed)) {
      std::uint64_t given;
      if (queue.claim(cell, CellStatus::kGiven, owner, given)) grants_++;
      finish_cell(id, false);
    }
    lane_.note(index_, 0);
  }
}

// Brings a slot that the hint names to its end, whatever has been done of it. Idempotent.
//   offered, and the cell is its own     unlink, announce, ready
//   offered, and it is not               another took it: the slot waits on, in its place
//   abandoned                            give the cell back if it was committed; free the slot
//   ready                                only its wake may be missing
void GateKeeper::finish_cell(SlotId id, bool anew) {
  Slot& slot = arena_.slot(id);
  const Queue queue(arena_, element_.base.load(memory_order_acquire));
  const ParticipantId owner = arena_.owner_of(id).participant;
  for (;;) {
    std::uint64_t seen = slot.state.load(memory_order_acquire);
    const SlotState state = SlotState::of(seen);
    Queue::Seen cell;
    switch (state.status) {
      case Status::kOffered:
        if (committed(queue, slot, state, owner, cell)) {
          if (conclude(id, seen, anew)) return;
        } else if (slot.state.compare_exchange_strong(seen, state.with(Status::kQueued, 0).word(), memory_order_acq_rel,
                                                      memory_order_relaxed)) {
          return;
        }
        continue;
      case Status::kAbandoned:
        if (committed(queue, slot, state, owner, cell)) queue.put_back(cell);
        return remove(id, seen);
      case Status::kAbortedInQueue:
      case Status::kReleased:
      case Status::kRevoked:
        return remove(id, seen);
      case Status::kReady:
        if (anew) notify(owner, Notice::kRescan);
        return;
      default:
        return;
    }
  }
}

}  // namespace forelock::core
