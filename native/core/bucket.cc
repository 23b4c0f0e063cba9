#include "core/bucket.h"

#include <bit>

namespace forelock::core {

void PaceCell::set(const Pace& pace) {
  scale.set(pace.scale);
  shape.set(pace.shift | (static_cast<std::uint64_t>(pace.k) << 32));
  burst.set(pace.burst);
  rate.set(std::bit_cast<std::uint64_t>(pace.rate));
  per.set(std::bit_cast<std::uint64_t>(pace.per));
  size.set(std::bit_cast<std::uint64_t>(pace.size));
}

Pace PaceCell::whole() const {
  Pace pace = get();
  pace.rate = std::bit_cast<double>(rate.peek());
  pace.per = std::bit_cast<double>(per.peek());
  pace.size = std::bit_cast<double>(size.peek());
  return pace;
}

bool Bucket::is(const Arena& arena, ElementIndex index) {
  if (index >= arena.capacity().elements) return false;
  const Element& element = arena.element(index);
  const std::uint64_t meta = element.meta.load(memory_order_acquire);
  return Meta::kind(meta) == Kind::kBucket && Meta::state(meta) == Meta::kLive && element.base.load(memory_order_acquire) != 0;
}

Bucket::Bucket(Arena& arena, ElementIndex index)
    : arena_(arena),
      index_(index),
      element_(arena.element(index)),
      // (p1) acquires the record's fields.
      record_(arena.record<BucketRecord>(element_.base.load(memory_order_acquire))),
      epoch_(arena.header().epoch) {}

Spent Bucket::take(double tokens, Nanos now, Tokens& out, bool respect_queue) {
  std::uint64_t seen = word();
  for (;;) {
    if (respect_queue && (seen & Tat::kQueued) != 0) return Spent::kQueued;
    const Pace pace = record_.cells[Tat::cell(seen)].get();
    const std::uint64_t amount = pace.units_of(tokens);
    if (amount == 0 || amount > pace.burst) return Spent::kNever;
    const std::uint64_t at = pace.units(since_epoch(now));
    const Taken taken = core::take(pace, Tat::time(seen), at, amount);
    out.remaining = left(pace, taken.tat, at) >> pace.k;
    if (!taken.ok) {
      out.ready = ready_at(tokens, now);
      return Spent::kRefused;
    }
    // (b1) orders the takes of all; there is nothing else to publish.
    if (element_.fast.compare_exchange_weak(seen, Tat::at(seen, taken.tat), memory_order_acq_rel, memory_order_acquire)) break;
  }
  const std::uint32_t parent = record_.parent.get();
  if (parent == 0) return Spent::kOk;
  Tokens above;
  Bucket bucket(arena_, parent - 1);
  // Its depth is less than ours, whatever the arena holds: no circle.
  if (bucket.record_.depth.get() >= record_.depth.get()) throw Corrupt("a bucket above itself");
  const Spent spent = bucket.take(tokens, now, above, respect_queue);
  if (spent == Spent::kOk) return spent;
  give_back_own(tokens);
  out.ready = ready_at(tokens, now);
  return spent;
}

// The latest of all: at that time each of them grants it, if nobody else comes.
Nanos Bucket::ready_at(double tokens, Nanos now) const {
  const std::uint64_t seen = word();
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  const std::uint64_t amount = pace.units_of(tokens);
  const Taken taken = core::take(pace, Tat::time(seen), pace.units(since_epoch(now)), amount);
  Nanos ready = taken.ok ? now : epoch_ + pace.when(taken.ready, since_epoch(now));
  if (record_.parent.get() != 0) {
    const Bucket bucket(arena_, record_.parent.get() - 1);
    if (bucket.record_.depth.get() >= record_.depth.get()) throw Corrupt("a bucket above itself");
    const Nanos above = bucket.ready_at(tokens, now);
    if (above > ready) ready = above;
  }
  return ready;
}

Spent Bucket::peek(double tokens, Nanos now, Tokens& out) const {
  const std::uint64_t seen = word();
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  const std::uint64_t amount = pace.units_of(tokens);
  out.remaining = left(pace, Tat::time(seen), pace.units(since_epoch(now))) >> pace.k;
  if (amount == 0 || amount > pace.burst) return Spent::kNever;
  out.ready = ready_at(tokens, now);
  return out.ready > now ? Spent::kRefused : Spent::kOk;
}

void Bucket::give_back(double tokens) {
  give_back_own(tokens);
  if (record_.parent.get() == 0) return;
  Bucket bucket(arena_, record_.parent.get() - 1);
  if (bucket.record_.depth.get() >= record_.depth.get()) throw Corrupt("a bucket above itself");
  bucket.give_back(tokens);
}

void Bucket::give_back_own(double tokens) {
  std::uint64_t seen = word();
  for (;;) {
    const Pace pace = record_.cells[Tat::cell(seen)].get();
    const std::uint64_t amount = pace.units_of(tokens);
    const std::uint64_t tat = Tat::time(seen);
    const std::uint64_t next = tat > amount ? tat - amount : 0;
    if (element_.fast.compare_exchange_weak(seen, Tat::at(seen, next), memory_order_acq_rel, memory_order_acquire)) return;
  }
}

Nanos Bucket::full_at(Nanos now) const {
  const std::uint64_t seen = word();
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  return epoch_ + pace.when(Tat::time(seen), since_epoch(now));
}

void Bucket::change(const Pace& pace, Nanos now) {
  std::uint64_t seen = word();
  for (;;) {
    const Pace old = record_.cells[Tat::cell(seen)].get();
    const std::uint32_t spare = (Tat::cell(seen) + 1) & 3;
    record_.cells[spare].set(pace);
    const std::uint64_t tat = convert(old, pace, Tat::time(seen), since_epoch(now));
    const std::uint64_t next = (seen & Tat::kQueued) | (static_cast<std::uint64_t>(spare) << Tat::kCellShift) | tat;
    // (b1), and it releases the cell to whoever reads the word.
    if (element_.fast.compare_exchange_weak(seen, next, memory_order_acq_rel, memory_order_acquire)) return;
  }
}

Defined define_bucket(Arena& arena, ElementIndex index, const BucketTerms& terms) {
  Element& element = arena.element(index);
  std::uint32_t depth = 0;
  if (terms.has_parent) {
    if (!Bucket::is(arena, terms.parent) || terms.parent == index) return Defined::kBadArgument;
    depth = arena.record<BucketRecord>(arena.element(terms.parent).base.load(memory_order_acquire)).depth.get() + 1;
    if (depth >= kBucketDepth) return Defined::kBadArgument;
  }
  std::uint64_t offset = element.base.load(memory_order_acquire);
  if (offset == 0) {
    std::uint64_t made = 0;
    const Made got = allocate_heap(arena, sizeof(BucketRecord), made);
    if (got != Made::kOk) return got == Made::kNoHeap ? Defined::kNoHeap : Defined::kOutOfMemory;
    BucketRecord& record = arena.record<BucketRecord>(made);
    record.parent.set(terms.has_parent ? terms.parent + 1 : 0);
    record.depth.set(depth);
    for (PaceCell& cell : record.cells) cell.set(terms.pace);
    offset = show_record(arena, element, made, sizeof(BucketRecord));
    if (offset == made) return Defined::kMade;
  }
  const Bucket bucket(arena, index);
  const Pace there = bucket.pace();
  const bool same = there.rate == terms.pace.rate && there.per == terms.pace.per && there.size == terms.pace.size &&
                    bucket.parent() == (terms.has_parent ? terms.parent + 1 : 0);
  return same ? Defined::kSame : Defined::kOther;
}

}  // namespace forelock::core
