#include "core/stats.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/observers.h"

namespace forelock::core {

namespace {

constexpr int kSamples = 8;  // rows looked at for the weakest: more costs a cache line each and finds hardly a weaker one

std::size_t stat_bytes_eager(const Layout& layout) { return layout.stat_cells - layout.stat_rest; }

void raise_to(atomic<std::uint64_t>& word, std::uint64_t value) {
  std::uint64_t seen = word.load(memory_order_relaxed);
  while (seen < value && !word.compare_exchange_strong(seen, value, memory_order_relaxed, memory_order_relaxed)) {
  }
}

bool index_is_backed(const Arena& arena, ElementIndex index) {
  return arena.is_backed(arena.layout().stat_index + index * sizeof(std::uint16_t), sizeof(std::uint16_t));
}
bool cells_are_backed(const Arena& arena, std::uint32_t row) {
  return arena.is_backed(arena.layout().stat_cells + row * kTiers * sizeof(StatCell), kTiers * sizeof(StatCell));
}

}  // namespace

bool begin_stats(const Arena& arena) {
  if (stats_are_on(arena)) return true;
  const Layout& layout = arena.layout();
  if (arena.capacity().rows == 0) return false;
  if (!arena.ensure(layout.stats, sizeof(StatRow) * arena.capacity().rows)) return false;
  if (!arena.ensure(layout.stat_rest, stat_bytes_eager(layout))) return false;
  arena.header().stats_on.store(1, memory_order_release);
  return true;
}

// ---- writing -------------------------------------------------------------------------------------------------------

StatCell& StatWriter::cell(Handle handle, std::uint32_t tier, Nanos now, std::uint64_t events, std::uint32_t& row) {
  const std::uint64_t key = StatKey::of(handle);
  if (row == 0 || arena_.stat_row(row - 1).key.load(memory_order_relaxed) != key) row = find_row(handle, now);
  if (row == 0) {
    const std::uint64_t meta = arena_.element(handle.index).meta.load(memory_order_relaxed);
    const Kind kind = Meta::kind(meta) <= Kind::kLast ? Meta::kind(meta) : Kind::kLock;
    return arena_.stat_rest(kind, tier % kTiers);
  }
  arena_.stat_row(row - 1).weight.fetch_add(events, memory_order_relaxed);
  return arena_.stat_cell(row - 1, tier % kTiers);
}

// Row + 1, or 0 when it gets none this time.
std::uint32_t StatWriter::find_row(Handle handle, Nanos now) {
  if (!arena_.ensure(arena_.layout().stat_index + handle.index * sizeof(std::uint16_t), sizeof(std::uint16_t))) return 0;
  auto& place = arena_.stat_row_of(handle.index);
  const std::uint32_t known = place.load(memory_order_relaxed);
  if (known != 0 && known <= arena_.capacity().rows) {
    const std::uint64_t key = arena_.stat_row(known - 1).key.load(memory_order_acquire);  // (s1)
    if (key == StatKey::of(handle)) return known;
    // The same element in an earlier life of its place.
    if ((key & StatKey::kClaimed) == 0 && StatKey::handle(key).index == handle.index && take_row(known - 1, handle, now)) return known;
  }
  std::uint32_t row = fresh_row();
  if (row == 0) row = weakest_row();
  if (row == 0 || !take_row(row - 1, handle, now)) return 0;
  place.store(static_cast<std::uint16_t>(row), memory_order_relaxed);
  return row;
}

std::uint32_t StatWriter::fresh_row() const {
  auto& hand = arena_.header().stats_hand;
  if (hand.load(memory_order_relaxed) >= arena_.capacity().rows) return 0;
  const std::uint32_t row = hand.fetch_add(1, memory_order_relaxed);
  return row < arena_.capacity().rows ? row + 1 : 0;
}

std::uint32_t StatWriter::weakest_row() {
  std::uint32_t best = 0;
  std::uint64_t least = ~0ull;
  for (int i = 0; i < kSamples; i++) {
    const auto row = static_cast<std::uint32_t>(random() % arena_.capacity().rows);
    const StatRow& candidate = arena_.stat_row(row);
    const std::uint64_t key = candidate.key.load(memory_order_relaxed);
    if (!may_take(key)) continue;
    const std::uint64_t weight = key == 0 || (key & StatKey::kClaimed) != 0 ? 0 : candidate.weight.load(memory_order_relaxed);
    if (weight >= least) continue;
    least = weight;
    best = row + 1;
  }
  return best != 0 && (least == 0 || random() % (least + 1) == 0) ? best : 0;
}

// A claim is respected as long as the claimer lives.
bool StatWriter::may_take(std::uint64_t key) const {
  if ((key & StatKey::kClaimed) == 0) return true;
  const auto by = static_cast<ParticipantId>(key & ((1u << StatKey::kIncarnationShift) - 1));
  if (by == 0 || by > arena_.capacity().participants) return true;
  const LifeWord life = LifeWord::of(arena_.participant(by).life.load(memory_order_acquire));
  return life.life != Life::kAlive || StatKey::claim(by, life.incarnation) != key || key == claim_;
}

bool StatWriter::take_row(std::uint32_t row, Handle handle, Nanos now) {
  const Layout& layout = arena_.layout();
  if (!arena_.ensure(layout.stat_cells + row * kTiers * sizeof(StatCell), kTiers * sizeof(StatCell))) return false;
  StatRow& head = arena_.stat_row(row);
  std::uint64_t seen = head.key.load(memory_order_relaxed);
  if (!may_take(seen) || !head.key.compare_exchange_strong(seen, claim_, memory_order_acquire, memory_order_relaxed)) return false;
  for (std::uint32_t tier = 0; tier < kTiers; tier++) {
    auto* words = reinterpret_cast<atomic<std::uint64_t>*>(&arena_.stat_cell(row, tier));
    for (std::size_t i = 0; i < sizeof(StatCell) / sizeof(std::uint64_t); i++) words[i].store(0, memory_order_relaxed);
  }
  // The weight stays and counts on, as in the space-saving algorithm: a newcomer is not the next to go.
  head.since.store(now, memory_order_relaxed);
  head.key.store(StatKey::of(handle), memory_order_release);  // (s1) releases the emptied cells
  return true;
}

void StatWriter::wait(StatCell& cell, Nanos waited, std::uint64_t times) {
  cell.waits[bucket_of(waited)].fetch_add(times, memory_order_relaxed);
  if (waited != 0) raise_to(cell.longest_wait, waited);
}

void StatWriter::hold(StatCell& cell, std::uint32_t bucket, std::uint64_t times, Nanos held, Nanos longest) {
  // What was held in an earlier observation says nothing of this one.
  std::uint64_t seen = cell.held_from.load(memory_order_relaxed);
  const std::uint64_t began = arena_.header().observed_from.load(memory_order_relaxed);
  if (seen != began && cell.held_from.compare_exchange_strong(seen, began, memory_order_relaxed, memory_order_relaxed)) {
    cell.held.store(0, memory_order_relaxed);
  }
  cell.holds[bucket % kHistogramBuckets].fetch_add(times, memory_order_relaxed);
  cell.held.fetch_add(held, memory_order_relaxed);
  raise_to(cell.longest_hold, longest);
}

std::uint64_t StatWriter::random() {  // xorshift64 (Marsaglia, 2003)
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

// ---- reading -------------------------------------------------------------------------------------------------------

namespace {

using Waiting = std::map<std::uint64_t, std::array<std::uint64_t, kTiers>>;

// Who waits is in the slots; a counter would keep those of the dead.
Waiting count_waiting(const Arena& arena) {
  Waiting waiting;
  for (std::uint32_t chunk = 0; chunk < arena.layout().chunk_count; chunk++) {
    if (arena.chunk_owner(chunk).load(memory_order_acquire) == 0) continue;
    for (std::uint32_t i = 0; i < kChunkSlots; i++) {
      const Slot& slot = arena.slot(chunk * kChunkSlots + i + 1);
      const Status status = SlotState::of(slot.state.load(memory_order_acquire)).status;
      if (status != Status::kQueued && status != Status::kPrepared && status != Status::kOffered) continue;
      if (arena.is_dead(arena.owner_of(chunk * kChunkSlots + i + 1))) continue;
      const ElementIndex index = slot.element.peek();
      if (index >= arena.capacity().elements) continue;
      const std::uint32_t generation = Meta::generation(arena.element(index).meta.load(memory_order_acquire));
      waiting[StatKey::of({index, generation})][slot.flags.peek() & SlotFlag::kTierMask]++;
    }
  }
  return waiting;
}

using Counts = std::array<std::uint64_t, kHistogramBuckets>;

Quantiles quantiles_of(const atomic<std::uint64_t> (&words)[kHistogramBuckets], Nanos longest) {
  Counts counts;
  Quantiles out;
  for (std::uint32_t i = 0; i < kHistogramBuckets; i++) {
    counts[i] = words[i].load(memory_order_relaxed);
    out.count += counts[i];
  }
  out.max = longest;
  out.p50 = quantile(counts, 0.5, longest);
  out.p90 = quantile(counts, 0.9, longest);
  out.p99 = quantile(counts, 0.99, longest);
  return out;
}

// `observed`: for how long the present observation has counted in it; `began`: when that began.
bool read_cell(const StatCell& cell, std::uint32_t tier, Nanos observed, Nanos began, std::uint64_t waiting, TierStats& out) {
  out.tier = tier;
  out.refusals = cell.refusals.load(memory_order_relaxed);
  out.timeouts = cell.timeouts.load(memory_order_relaxed);
  out.aborts = cell.aborts.load(memory_order_relaxed);
  out.deadlocks = cell.deadlocks.load(memory_order_relaxed);
  out.waiting = waiting;
  out.wait = quantiles_of(cell.waits, cell.longest_wait.load(memory_order_relaxed));
  out.hold = quantiles_of(cell.holds, cell.longest_hold.load(memory_order_relaxed));
  out.grants = out.wait.count;
  if (observed != 0 && cell.held_from.load(memory_order_relaxed) == began) {
    out.in_use = static_cast<double>(cell.held.load(memory_order_relaxed)) / static_cast<double>(observed);
  }
  return out.grants + out.refusals + out.timeouts + out.aborts + out.deadlocks + out.waiting + out.hold.count != 0;
}

Nanos since(Nanos now, Nanos from) { return from != 0 && now > from ? now - from : 0; }

bool read_row(const Arena& arena, std::uint32_t row, Nanos now, const Waiting& waiting, ElementStats& out) {
  const StatRow& head = arena.stat_row(row);
  const std::uint64_t key = head.key.load(memory_order_acquire);  // (s1)
  if (key == 0 || (key & StatKey::kClaimed) != 0 || !cells_are_backed(arena, row)) return false;
  out.handle = StatKey::handle(key);
  if (out.handle.index >= arena.capacity().elements) return false;
  const std::uint64_t meta = arena.element(out.handle.index).meta.load(memory_order_acquire);
  if (Meta::state(meta) != Meta::kLive || Meta::generation(meta) != out.handle.generation) return false;
  out.kind = Meta::kind(meta);
  out.weight = head.weight.load(memory_order_relaxed);
  out.since = head.since.load(memory_order_relaxed);
  const Nanos began = arena.header().observed_from.load(memory_order_relaxed);
  const Nanos from = std::max(out.since, began);
  const auto found = waiting.find(key);
  for (std::uint32_t tier = 0; tier < kTiers; tier++) {
    TierStats stats;
    const std::uint64_t waits = found == waiting.end() ? 0 : found->second[tier];
    if (read_cell(arena.stat_cell(row, tier), tier, since(now, from), began, waits, stats)) out.tiers.push_back(stats);
  }
  out.name = Table::name_of(arena, out.handle.index);
  return arena.element(out.handle.index).meta.load(memory_order_acquire) >> 32 == meta >> 32 && head.key.load(memory_order_relaxed) == key;
}

}  // namespace

std::vector<ElementStats> read_stats(const Arena& arena, Nanos now, std::uint32_t top) {
  std::vector<ElementStats> out;
  if (!stats_are_on(arena) || !arena.is_backed(arena.layout().stats, sizeof(StatRow) * arena.capacity().rows)) return out;
  const std::uint32_t rows = std::min(arena.header().stats_hand.load(memory_order_relaxed), arena.capacity().rows);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  for (std::uint32_t row = 0; row < rows; row++) order.emplace_back(arena.stat_row(row).weight.load(memory_order_relaxed), row);
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  const Waiting waiting = count_waiting(arena);
  for (const auto& [weight, row] : order) {
    if (out.size() >= top) break;
    ElementStats stats;
    if (read_row(arena, row, now, waiting, stats) && !stats.tiers.empty()) out.push_back(std::move(stats));
  }
  return out;
}

std::vector<ElementStats> read_rest(const Arena& arena, Nanos now) {
  std::vector<ElementStats> out;
  const Layout& layout = arena.layout();
  if (!stats_are_on(arena) || !arena.is_backed(layout.stat_rest, stat_bytes_eager(layout))) return out;
  const Nanos began = arena.header().observed_from.load(memory_order_relaxed);
  for (std::uint32_t kind = 0; kind < kKinds; kind++) {
    ElementStats stats;
    stats.kind = static_cast<Kind>(kind);
    for (std::uint32_t tier = 0; tier < kTiers; tier++) {
      TierStats of_tier;
      if (read_cell(arena.stat_rest(stats.kind, tier), tier, since(now, began), began, 0, of_tier)) stats.tiers.push_back(of_tier);
    }
    if (!stats.tiers.empty()) out.push_back(std::move(stats));
  }
  return out;
}

bool read_stats_of(const Arena& arena, Handle handle, Nanos now, ElementStats& out) {
  if (!stats_are_on(arena) || handle.index >= arena.capacity().elements || !index_is_backed(arena, handle.index)) return false;
  const std::uint32_t row = arena.stat_row_of(handle.index).load(memory_order_relaxed);
  if (row == 0 || row > arena.capacity().rows) return false;
  return read_row(arena, row - 1, now, count_waiting(arena), out) && out.handle.generation == handle.generation &&
         out.handle.index == handle.index;
}

namespace {

Counted counted(const StatCell& cell) {
  Counted out;
  const Nanos longest = cell.longest_hold.load(memory_order_relaxed);
  for (std::uint32_t i = 0; i < kHistogramBuckets; i++) {
    const std::uint64_t waits = cell.waits[i].load(memory_order_relaxed);
    out.grants += waits;
    if (i != 0) out.waited += waits;
    const std::uint64_t holds = cell.holds[i].load(memory_order_relaxed);
    if (holds != 0) out.holds.push_back({value_of(i, longest), holds});
  }
  // Of the longest it is known how long it was; with the middle of its bucket, one that is nearly over would be longer than all there are.
  if (!out.holds.empty() && out.holds.back().value < longest) out.holds.back().value = longest;
  return out;
}

}  // namespace

Counted counted_of(const Arena& arena, Handle handle, std::uint32_t tier) {
  if (!stats_are_on(arena) || tier >= kTiers || handle.index >= arena.capacity().elements || !index_is_backed(arena, handle.index))
    return {};
  const std::uint32_t row = arena.stat_row_of(handle.index).load(memory_order_relaxed);
  if (row == 0 || row > arena.capacity().rows || !cells_are_backed(arena, row - 1)) return {};
  const auto& key = arena.stat_row(row - 1).key;
  if (key.load(memory_order_acquire) != StatKey::of(handle)) return {};  // (s1)
  Counted out = counted(arena.stat_cell(row - 1, tier));
  return key.load(memory_order_relaxed) == StatKey::of(handle) ? out : Counted{};
}

Counted counted_of(const Arena& arena, Kind kind, std::uint32_t tier) {
  const Layout& layout = arena.layout();
  if (!stats_are_on(arena) || tier >= kTiers || !arena.is_backed(layout.stat_rest, stat_bytes_eager(layout))) return {};
  return counted(arena.stat_rest(kind, tier));
}

}  // namespace forelock::core
