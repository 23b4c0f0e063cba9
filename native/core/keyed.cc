#include "core/keyed.h"

#include <bit>

namespace forelock::core {

namespace {

// Each round that fails is a success of somebody else: so many in a row are damage.
constexpr std::uint32_t kRounds = 1u << 20;

KeyedRecord& record_of(const Arena& arena, ElementIndex index) {
  const Element& element = arena.element(index);
  const std::uint64_t meta = element.meta.load(memory_order_acquire);
  if (Meta::kind(meta) != Kind::kKeyed || Meta::state(meta) != Meta::kLive) throw Corrupt("no family of buckets");
  // (p1) acquires the record's fields.
  return arena.record<KeyedRecord>(element.base.load(memory_order_acquire));
}

bool same(const Pace& a, const Pace& b) { return a.rate == b.rate && a.per == b.per && a.size == b.size; }

}  // namespace

// ---- the record ----------------------------------------------------------------------------------------------------

// (k1) releases pair with the acquires of get(): whoever reads a word of a pace that is being written knows, too, that no cell is left
// that was at the version whose place it takes.
void KeyedPace::set(const Pace& pace) {
  scale.store(pace.scale, memory_order_release);
  shape.store(pace.shift | static_cast<std::uint64_t>(pace.k) << 32, memory_order_release);
  burst.store(pace.burst, memory_order_release);
  rate.store(std::bit_cast<std::uint64_t>(pace.rate), memory_order_release);
  per.store(std::bit_cast<std::uint64_t>(pace.per), memory_order_release);
  size.store(std::bit_cast<std::uint64_t>(pace.size), memory_order_release);
}

Pace KeyedPace::get() const {
  Pace pace{};
  const std::uint64_t packed = shape.load(memory_order_acquire);
  pace.scale = scale.load(memory_order_acquire);
  pace.shift = static_cast<std::uint32_t>(packed) & 127;
  pace.k = static_cast<std::uint32_t>(packed >> 32) & 63;
  pace.burst = burst.load(memory_order_acquire);
  pace.rate = std::bit_cast<double>(rate.load(memory_order_acquire));
  pace.per = std::bit_cast<double>(per.load(memory_order_acquire));
  pace.size = std::bit_cast<double>(size.load(memory_order_acquire));
  return pace;
}

KeyedMade define_keyed(Arena& arena, ElementIndex index, const Pace& pace, std::uint64_t keys) {
  Element& element = arena.element(index);
  if (element.base.load(memory_order_acquire) == 0) {
    const std::uint64_t lines = keyed_lines(keys);
    std::uint64_t offset = 0;
    // All of it is backed here, so that no request can fail for want of memory or pay for a look whether it is there.
    switch (allocate_heap(arena, keyed_bytes(lines), offset)) {
      case Made::kNoHeap:
        return KeyedMade::kNoHeap;
      case Made::kOutOfMemory:
        return KeyedMade::kOutOfMemory;
      case Made::kOk:
        break;
    }
    KeyedRecord& record = arena.record<KeyedRecord>(offset);
    record.keys.set(keys);
    record.lines.set(lines);
    record.paces[0].set(pace);
    if (show_record(arena, element, offset, sizeof(KeyedRecord)) == offset) return KeyedMade::kMade;
  }
  const KeyedRecord& record = record_of(arena, index);
  if (record.keys.get() != keys) return KeyedMade::kOtherKeys;
  const Pace stored = record.paces[record.version.load(memory_order_acquire) & 1].get();
  return same(stored, pace) ? KeyedMade::kSame : KeyedMade::kOtherPace;
}

Keyed::Keyed(Arena& arena, ElementIndex index, LaneId lane)
    : arena_(arena),
      record_(record_of(arena, index)),
      lane_(lane),
      nonce_(arena.host().now()),  // an earlier incarnation may have left claims behind
      epoch_(arena.header().epoch) {
  const std::uint64_t offset = arena.element(index).base.load(memory_order_acquire);
  lines_ = record_.lines.get();
  const std::uint64_t room = arena.layout().heap_bytes - offset;
  if (&arena.record<KeyedRecord>(offset) != &record_ || lines_ < kKeyedWindow || lines_ > room / sizeof(KeyedLine) ||
      keyed_bytes(lines_) > room) {
    throw Corrupt("the table of a family of buckets");
  }
  table_ = reinterpret_cast<KeyedLine*>(&record_ + 1);
  reload();
}

// Copies the paces when there is another version.
inline void Keyed::refresh() {
  // (k2) acquires the pace of the version it reads.
  if (record_.version.load(memory_order_acquire) != version_) reload();
}

void Keyed::reload() {
  for (std::uint32_t round = 0; round < kRounds; round++) {
    version_ = record_.version.load(memory_order_acquire);
    for (int i = 0; i < 2; i++) paces_[i] = record_.paces[i].get();
    if (record_.version.load(memory_order_acquire) != version_) continue;
    if (version_ > KeyWord::kVersionMask || !paces_[version_ & 1].sound()) break;
    return;
  }
  throw Corrupt("the pace of a family of buckets");
}

Pace Keyed::pace() {
  refresh();
  return paces_[version_ & 1];
}

// ---- where a key is ------------------------------------------------------------------------------------------------

Keyed::Home Keyed::home_of(const Hash& key) const {
  const std::uint64_t tag = KeyWord::tag(key.high);
  return {static_cast<std::uint64_t>((static_cast<Wide>(key.low) * lines_) >> 64), tag == 0 ? 1 : tag};
}

KeyedLine& Keyed::line(const Home& home, std::uint64_t step) const {
  const std::uint64_t at = home.line + step;
  return table_[at < lines_ ? at : at - lines_];
}

Keyed::Look Keyed::look(const Home& home) const {
  Look out;
  while (out.lines < kKeyedWindow) {
    KeyedLine& here = line(home, out.lines++);
    for (atomic_pair& cell : here.cells) {
      const std::uint64_t low = cell.low();
      if (KeyWord::tag(low) != home.tag) continue;
      const Place place{&cell, {low, cell.high()}};
      if (cell.low() != low) {  // another key's meanwhile: its time is not ours
        out.again = true;
        return out;
      }
      if (!TimeWord::claimed(place.seen.high)) {
        out.at = place;
        return out;
      }
      if (out.at.cell == nullptr) {
        out.at = place;
      } else if (out.rival.cell == nullptr) {
        out.rival = place;
      }
    }
    if ((here.cells[0].high() & TimeWord::kMore) == 0) break;
  }
  return out;
}

// ---- taking --------------------------------------------------------------------------------------------------------

// Who finds no bucket of its key does not put one there at once: two lanes that do not agree on which cells are full would make two
// of them. Each first claims a cell, then looks again, at all cells. Of two claims the second to be made sees the first, the one further
// back gives way, and a claim only becomes a bucket if a look that began after it was made found neither a bucket nor a claim
// before it. Anybody may do that for anybody's claim, so nobody waits for one who stopped or died.
KeyedAnswer Keyed::take(const Hash& key, double tokens, KeyedTokens& out) {
  const Home home = home_of(key);
  __builtin_prefetch(&line(home, 0), 1);
  const Nanos early = since_epoch();  // while the line is fetched
  Place known;                        // a claim that stood there before the look that follows
  for (std::uint32_t round = 0; round < kRounds; round++) {
    refresh();
    const Pace& pace = paces_[version_ & 1];
    const std::uint64_t amount = pace.units_of(tokens);
    if (amount == 0 || amount > pace.burst) return KeyedAnswer::kNever;
    const Look found = look(home);
    if (found.again) continue;
    if (found.rival.cell != nullptr) {
      remove(found.rival);
      continue;
    }
    bool done = false;
    if (found.at.cell == nullptr) {
      const Room room = claim(home, found.lines, known);
      if (room == Room::kNone) return KeyedAnswer::kNoKeys;
    } else if (!TimeWord::claimed(found.at.seen.high)) {
      if (known.cell != nullptr && known.cell != found.at.cell) remove(known);
      known = {};
      // By the earlier time a bucket can only be less full than it is: good enough to take, not to refuse.
      KeyedAnswer answer = KeyedAnswer::kRefused;
      if (round == 0) answer = take_from(found.at, home, amount, early, out, done);
      if (answer == KeyedAnswer::kRefused) answer = take_from(found.at, home, amount, since_epoch(), out, done);
      if (done) return answer;
    } else if (found.at == known) {
      // The clock is read after the look: whoever gave the key's last cell away because its bucket was full did so before.
      const KeyedAnswer answer = take_from(found.at, home, amount, since_epoch(), out, done);
      if (done) return answer;
    } else {
      known = found.at;
    }
  }
  throw Corrupt("a bucket of a family never comes to rest");
}

// From a bucket, or from a claim: then it becomes one.
KeyedAnswer Keyed::take_from(const Place& place, const Home& home, std::uint64_t amount, Nanos now, KeyedTokens& out, bool& done) {
  const Pace& pace = paces_[version_ & 1];
  const std::uint64_t at = pace.units(now);
  bool again = false;
  done = false;
  const std::uint64_t tat = TimeWord::claimed(place.seen.high) ? 0 : time_of(place, now, again);
  if (again) return KeyedAnswer::kRefused;
  const Taken taken = core::take(pace, tat, at, amount);
  out.now = epoch_ + now;
  out.remaining = left(pace, taken.tat, at) >> pace.k;
  if (!taken.ok) {
    // Both words once more: a time of one key with the tag of another would refuse for nothing.
    done = place.cell->high() == place.seen.high && place.cell->low() == place.seen.low;
    out.ready = done ? epoch_ + pace.when(taken.ready, now) : 0;
    return KeyedAnswer::kRefused;
  }
  const Pair next{KeyWord::word(home.tag, version_), (place.seen.high & TimeWord::kMore) | (taken.tat & TimeWord::kTimeMask)};
  // (k3) decides: the tokens are taken, or somebody else was there first.
  done = place.cell->compare_exchange(place.seen, next);
  return KeyedAnswer::kOk;
}

// A claim for a key that is nowhere in the first `lines` lines, in the first of them that has room, else one line further.
Keyed::Room Keyed::claim(const Home& home, std::uint64_t lines, Place& out) {
  for (std::uint64_t step = 0; step < lines; step++) {
    const Room room = claim_in(line(home, step), home, out, false);
    if (room != Room::kNone) return room;
  }
  if (lines < kKeyedWindow) {
    // Before anything is claimed there, so that no look ends before it. Nobody clears it again: docs/decisions/0010-keyed-buckets.md.
    atomic_pair& first = line(home, lines - 1).cells[0];
    const Pair seen{first.low(), first.high()};
    first.compare_exchange(seen, {seen.low, seen.high | TimeWord::kMore});
    return Room::kAgain;
  }
  // Claims that the dead have left are the last room there is.
  for (std::uint64_t step = 0; step < lines; step++) {
    const Room room = claim_in(line(home, step), home, out, true);
    if (room != Room::kNone) return room;
  }
  return Room::kNone;
}

Keyed::Room Keyed::claim_in(KeyedLine& line, const Home& home, Place& out, bool even_claims) {
  for (atomic_pair& cell : line.cells) {
    const Place place{&cell, {cell.low(), cell.high()}};
    const bool claimed = TimeWord::claimed(place.seen.high);
    if (claimed ? !even_claims : TimeWord::time(place.seen.high) != 0) continue;
    return claim_cell(place, home, out) ? Room::kClaimed : Room::kAgain;
  }
  if (even_claims) return Room::kNone;
  const Nanos now = since_epoch();
  const std::uint64_t at = paces_[version_ & 1].units(now);
  for (atomic_pair& cell : line.cells) {
    const Place place{&cell, {cell.low(), cell.high()}};
    if (TimeWord::claimed(place.seen.high)) continue;
    bool again = false;
    const std::uint64_t tat = time_of(place, now, again);
    if (again) return Room::kAgain;
    if (tat > at) continue;
    return claim_cell(place, home, out) ? Room::kClaimed : Room::kAgain;
  }
  return Room::kNone;
}

bool Keyed::claim_cell(const Place& place, const Home& home, Place& out) {
  const std::uint64_t nonce = ++nonce_ & ((1ull << TimeWord::kNonceBits) - 1);
  const std::uint64_t claim = TimeWord::kClaimed | static_cast<std::uint64_t>(lane_) << TimeWord::kNonceBits | nonce;
  const Pair next{KeyWord::word(home.tag, version_), (place.seen.high & TimeWord::kMore) | claim};
  // (k4) before the look that decides; both are sequentially consistent, or two lanes could claim without seeing each other.
  if (!place.cell->compare_exchange(place.seen, next)) return false;
  out = {place.cell, next};
  return true;
}

bool Keyed::remove(const Place& place) const {
  return place.cell->compare_exchange(place.seen, {KeyWord::version(place.seen.low), place.seen.high & TimeWord::kMore});
}

// ---- looking, and giving back --------------------------------------------------------------------------------------

KeyedAnswer Keyed::peek(const Hash& key, double tokens, KeyedTokens& out) {
  const Home home = home_of(key);
  for (std::uint32_t round = 0; round < kRounds; round++) {
    refresh();
    const Pace& pace = paces_[version_ & 1];
    const std::uint64_t amount = pace.units_of(tokens);
    const Look found = look(home);
    if (found.again) continue;
    const Nanos now = since_epoch();
    bool again = false;
    const bool is_bucket = found.at.cell != nullptr && !TimeWord::claimed(found.at.seen.high);
    const std::uint64_t tat = is_bucket ? time_of(found.at, now, again) : 0;
    if (again) continue;
    const std::uint64_t at = pace.units(now);
    out.now = epoch_ + now;
    out.remaining = left(pace, tat, at) >> pace.k;
    out.full = epoch_ + pace.when(tat, now);
    if (amount == 0 || amount > pace.burst) return KeyedAnswer::kNever;
    const Taken taken = core::take(pace, tat, at, amount);
    out.ready = taken.ok ? out.now : epoch_ + pace.when(taken.ready, now);
    return taken.ok ? KeyedAnswer::kOk : KeyedAnswer::kRefused;
  }
  throw Corrupt("a bucket of a family never comes to rest");
}

KeyedAnswer Keyed::refund(const Hash& key, double tokens) {
  const Home home = home_of(key);
  for (std::uint32_t round = 0; round < kRounds; round++) {
    refresh();
    const Pace& pace = paces_[version_ & 1];
    const std::uint64_t amount = pace.units_of(tokens);
    if (amount == 0 || amount > pace.burst) return KeyedAnswer::kNever;
    const Look found = look(home);
    if (found.again) continue;
    if (found.at.cell == nullptr || TimeWord::claimed(found.at.seen.high)) return KeyedAnswer::kOk;  // full
    bool again = false;
    const std::uint64_t tat = core::refund(time_of(found.at, since_epoch(), again), amount);
    const Pair next{KeyWord::word(home.tag, version_), (found.at.seen.high & TimeWord::kMore) | (tat & TimeWord::kTimeMask)};
    if (!again && found.at.cell->compare_exchange(found.at.seen, next)) return KeyedAnswer::kOk;
  }
  throw Corrupt("a bucket of a family never comes to rest");
}

// ---- paces ---------------------------------------------------------------------------------------------------------

// The clock never goes back, and an arena's epoch is its first reading; a damaged one must not make it negative.
Nanos Keyed::since_epoch() {
  const Nanos now = arena_.host().now();
  return now > epoch_ ? now - epoch_ : 0;
}

// nullptr: of a version that this copy does not know.
const Pace* Keyed::pace_of(std::uint64_t key_word) const {
  const std::uint64_t version = KeyWord::version(key_word);
  const bool known = version == version_ || version == ((version_ - 1) & KeyWord::kVersionMask);
  return known && paces_[version & 1].sound() ? &paces_[version & 1] : nullptr;
}

// The time of a cell in units of the present pace. `again`: there is another one meanwhile.
std::uint64_t Keyed::time_of(const Place& place, Nanos since_epoch, bool& again) const {
  const std::uint64_t time = TimeWord::time(place.seen.high);
  if (KeyWord::version(place.seen.low) == version_ || time == 0) return time;
  const Pace* pace = pace_of(place.seen.low);
  if (pace != nullptr) return convert(*pace, paces_[version_ & 1], time, since_epoch);
  again = record_.version.load(memory_order_acquire) != version_;
  if (!again && place.cell->low() == place.seen.low) throw Corrupt("a bucket of a pace that never was");
  again = true;
  return time;
}

// There are the present pace and the one before it. So before the place of the latter is used again, no cell may be left at it; and since
// every CAS is on the very words it was computed from, and a cell's version never goes back, none can come to be.
void Keyed::change(const Pace& pace) {
  refresh();
  convert_all();
  const std::uint64_t next = (version_ + 1) & KeyWord::kVersionMask;
  record_.paces[next & 1].set(pace);                  // (k1)
  record_.version.store(next, memory_order_release);  // (k2)
  refresh();
  convert_all();  // if we die before, the next change does it first
}

void Keyed::convert_all() {
  for (std::uint64_t i = 0; i < lines_; i++) {
    for (atomic_pair& cell : table_[i].cells) {
      for (std::uint32_t round = 0;; round++) {
        if (round > kRounds) throw Corrupt("a bucket of a family never comes to rest");
        const Place place{&cell, {cell.low(), cell.high()}};
        if (KeyWord::version(place.seen.low) == version_) break;
        const std::uint64_t more = place.seen.high & TimeWord::kMore;
        const Nanos now = since_epoch();
        bool again = false;
        const std::uint64_t tat = TimeWord::claimed(place.seen.high) ? 0 : time_of(place, now, again);
        if (again) continue;
        const bool full = tat <= paces_[version_ & 1].units(now);
        const Pair next{KeyWord::word(full ? 0 : KeyWord::tag(place.seen.low), version_), more | (full ? 0 : tat)};
        if (cell.compare_exchange(place.seen, next)) break;
      }
    }
  }
}

}  // namespace forelock::core
