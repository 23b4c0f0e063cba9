#include "core/table.h"

#include <cstring>

#include "core/moment.h"

namespace forelock::core {

namespace {

constexpr std::uint32_t kProbesBeforeGrowth = 16;  // while unused memory is left, looking longer for a gap costs more than it
constexpr std::uint32_t kRecentTicks = 250;        // 4 ms each: an element granted in the last second is not idle on the first lap

bool fits_one_byte(const char16_t* name, std::size_t length) {
  for (std::size_t i = 0; i < length; i++) {
    if (name[i] > 0xff) return false;
  }
  return true;
}

std::size_t name_bytes(std::uint64_t meta) { return Meta::length(meta) * ((meta & Meta::kTwoByte) != 0 ? 2u : 1u); }

}  // namespace

Found Table::lookup(Kind kind, const char16_t* name, std::size_t length, Handle& out) {
  if (length > kNameMaxUnits) return Found::kNameTooLong;
  const Hash hash = hash_name(arena_.header().seed, static_cast<std::uint32_t>(kind), name, length);
  std::uint32_t made = 0;  // index + 1 of an element of ours that is not in the table yet
  for (;;) {
    const Place place = find(hash);
    if (place.found != 0) {
      if (made != 0) discard(made - 1);
      Element& element = arena_.element(place.found - 1);
      if ((element.meta.load(memory_order_relaxed) & Meta::kUsed) == 0) element.meta.fetch_or(Meta::kUsed, memory_order_relaxed);
      out = {place.found - 1, place.generation};
      return Found::kOk;
    }
    if (made == 0) {
      ElementIndex index;
      const Found got = allocate(index);
      if (got != Found::kOk) return got;
      Element& element = arena_.element(index);
      const std::uint32_t generation = Meta::generation(element.meta.load(memory_order_acquire));
      const bool two_byte = !fits_one_byte(name, length);
      element.hash[0].set(hash.low);
      element.hash[1].set(hash.high);
      element.meta.store(Meta::word(generation, Meta::kInit, kind, static_cast<std::uint32_t>(length), two_byte), memory_order_release);
      if (!store_name(index, generation, name, length, two_byte)) {
        unmake(index);
        if (!arena_.ensure(arena_.layout().texts, sizeof(Text) * static_cast<std::size_t>(arena_.capacity().texts)))
          return Found::kOutOfMemory;
        if (!free_some_text(length * (two_byte ? 2 : 1))) return Found::kNoNames;
        continue;
      }
      for (auto& head : element.heads) head.store(0, memory_order_relaxed);
      element.holders.store(0, memory_order_relaxed);
      element.ttl.store(0, memory_order_relaxed);
      Gate gate = Gate::of(element.gate.load(memory_order_acquire));
      element.gate.store(Gate{0, false, 0, gate.pushes + 1}.word(), memory_order_release);
      // (t1) a fast acquire by an old handle reads this word and must then see the new generation.
      if (kind == Kind::kBucket) {
        element.fast.exchange(Tat::kFull, memory_order_acq_rel);  // what an old handle did to it is no debt
      } else {
        element.fast.fetch_and(~Fast::kQueued, memory_order_acq_rel);
      }
      made = index + 1;
    }
    Element& element = arena_.element(made - 1);
    // Anew at each attempt, after the search: an element of this name may have come, given tokens and gone since the last.
    const std::uint64_t floor = arena_.header().token_floor.load(memory_order_acquire);
    element.base.store(kind == Kind::kLock ? floor - Fast::of(element.fast.load(memory_order_acquire)).sequence : 0, memory_order_relaxed);
    element.link.store(Link::moved(element.link.load(memory_order_relaxed), Link::target(place.word)), memory_order_release);
    std::uint64_t seen = place.word;
    if (!place.link->compare_exchange_strong(seen, Link::moved(place.word, made), memory_order_acq_rel, memory_order_relaxed)) continue;
    std::uint64_t meta = element.meta.load(memory_order_acquire);
    while (!element.meta.compare_exchange_strong(meta, (meta & ~Meta::kStateMask) | Meta::kLive | Meta::kUsed, memory_order_acq_rel,
                                                 memory_order_acquire)) {
    }
    element.maker.store(0, memory_order_release);  // last: until then a sweep of ours knows whose element it is
    lane_.forget();
    out = {made - 1, Meta::generation(meta)};
    return Found::kOk;
  }
}

bool Table::has(Kind kind, const char16_t* name, std::size_t length, Handle& out) {
  if (length > kNameMaxUnits) return false;
  const Place place = find(hash_name(arena_.header().seed, static_cast<std::uint32_t>(kind), name, length));
  if (place.found == 0) return false;
  out = {place.found - 1, place.generation};
  return true;
}

// Michael's find: unlinks what is marked on the way, starts again when the link it stands on has changed.
Table::Place Table::find(Hash hash) {
  auto& head = arena_.bucket(hash.low);
  std::uint32_t restarts = 0;
  for (;;) {
    atomic<std::uint64_t>* link = &head;
    std::uint64_t word = link->load(memory_order_acquire);
    std::uint32_t steps = 0;
    bool again = false;
    while (!again) {
      const std::uint32_t target = Link::target(word);
      if (Link::marked(word) && link != &head) {
        again = true;
        break;
      }
      if (target == 0) return {link, word, 0, 0};
      if (++steps > arena_.capacity().elements) throw Corrupt("hash chain");
      Element& element = arena_.element(target - 1);
      std::uint64_t next = element.link.load(memory_order_acquire);
      const std::uint64_t meta = element.meta.load(memory_order_acquire);
      const bool same = element.hash[0].peek() == hash.low && element.hash[1].peek() == hash.high;
      const bool going = Link::marked(next) || leaving(element);
      // Unchanged, tag and all: the element stood in this place while its hash and generation were read.
      if (link->load(memory_order_acquire) != word) {
        again = true;
        break;
      }
      if (going) {
        if (!Link::marked(next)) {
          // On the very word read above: meanwhile the element may have left, and come back under another name.
          const std::uint64_t marked = Link::moved(next, Link::target(next), true);
          if (!element.link.compare_exchange_strong(next, marked, memory_order_acq_rel, memory_order_relaxed)) {
            again = true;
            break;
          }
          next = marked;
        }
        std::uint64_t seen = word;
        const std::uint64_t past = Link::moved(word, Link::target(next));
        if (!link->compare_exchange_strong(seen, past, memory_order_acq_rel, memory_order_relaxed)) {
          again = true;
          break;
        }
        word = past;
        continue;
      }
      if (same) return {link, word, target, Meta::generation(meta)};
      link = &element.link;
      word = next;
    }
    if (++restarts > 1u << 20) throw Corrupt("a hash chain never comes to rest");
  }
}

void Table::mark(Element& element) {
  std::uint64_t word = element.link.load(memory_order_acquire);
  while (!Link::marked(word) && !element.link.compare_exchange_strong(word, Link::moved(word, Link::target(word), true),
                                                                      memory_order_acq_rel, memory_order_acquire)) {
  }
}

bool Table::leaving(const Element& element) const { return Gate::of(element.gate.load(memory_order_acquire)).head == Gate::kClosed; }

// ---- recycling -----------------------------------------------------------------------------------------------------

Found Table::allocate(ElementIndex& out) {
  Header& header = arena_.header();
  const std::uint32_t ticks = since_word(header, lane_.now(), 0);
  for (int lap = 0; lap < 5; lap++) {
    std::uint32_t limit = header.backed_elements.load(memory_order_acquire);
    for (std::uint32_t probe = 0; probe < limit || limit == 0; probe++) {
      if (limit == 0 || (probe == kProbesBeforeGrowth && lap == 0)) {
        if (limit < arena_.capacity().elements) {
          if (!grow()) return Found::kOutOfMemory;
          limit = header.backed_elements.load(memory_order_acquire);
          if (limit == 0) throw Corrupt("the table lost its elements");
        }
      }
      const ElementIndex index = header.element_hand.fetch_add(1, memory_order_relaxed) % limit;
      Element& element = arena_.element(index);
      const std::uint64_t meta = element.meta.load(memory_order_acquire);
      if (Meta::state(meta) == Meta::kLive) {
        if (Meta::kind(meta) != Kind::kLock) continue;  // what has a record stays
        if (lap == 0 && (meta & Meta::kUsed) != 0) {
          element.meta.fetch_and(~Meta::kUsed, memory_order_relaxed);
          continue;
        }
        const Fast fast = Fast::of(element.fast.load(memory_order_relaxed));
        if (lap >= 2 && fast.queued && fast.owner == 0) {
          // Left so by somebody who died. On the last lap even if the next holder is yet to be told of a death: names whose
          // holders died must not fill the table for ever.
          if (lap == 3) {
            GateKeeper(lane_, index).forget_death();
          } else {
            GateKeeper::serve_all(lane_, index);
          }
          continue;
        }
        if (fast.owner != 0 || fast.queued) continue;
        const bool recent = ((ticks - element.since.load(memory_order_relaxed)) & 0x3fffffff) < kRecentTicks;
        if (lap < 2 && recent) continue;
        if (!recycle(index)) continue;
      }
      if (claim(index)) {
        out = index;
        return Found::kOk;
      }
    }
  }
  // All that is backed is in use: what is missing is room in the table, or memory behind the rest of it.
  return header.backed_elements.load(memory_order_acquire) < arena_.capacity().elements ? Found::kOutOfMemory : Found::kNoElements;
}

// Free, and with nobody inside: ours, once noted. The maker word tells the sweep whose half-made element it is.
bool Table::claim(ElementIndex index) {
  Element& element = arena_.element(index);
  std::uint64_t meta = element.meta.load(memory_order_acquire);
  if (Meta::state(meta) != Meta::kFree || Gate::of(element.gate.load(memory_order_acquire)).holder != 0) return false;
  std::uint32_t nobody = 0;
  lane_.note(index, Hint::kMaking);
  if (!element.maker.compare_exchange_strong(nobody, Maker{lane_.id, Meta::generation(meta) + 1}.word(), memory_order_acq_rel,
                                             memory_order_relaxed)) {
    lane_.forget();
    return false;
  }
  const std::uint64_t init = Meta::word(Meta::generation(meta) + 1, Meta::kInit, Kind::kLock, 0, false);
  if (element.meta.compare_exchange_strong(meta, init, memory_order_acq_rel, memory_order_relaxed)) return true;
  element.maker.store(0, memory_order_release);
  lane_.forget();
  return false;
}

bool Table::grow() {
  Header& header = arena_.header();
  std::uint32_t seen = header.backed_elements.load(memory_order_acquire);
  const std::uint32_t capacity = arena_.capacity().elements;
  if (seen >= capacity) return true;
  const std::uint32_t more = kExtent / sizeof(Element);
  const std::uint32_t limit = seen + more < capacity ? seen + more : capacity;
  if (!arena_.ensure(arena_.layout().elements + sizeof(Element) * static_cast<std::size_t>(seen),
                     sizeof(Element) * static_cast<std::size_t>(limit - seen))) {
    // What is backed may still do: only a table with nothing to give reports the lack of memory.
    return seen != 0;
  }
  header.backed_elements.compare_exchange_strong(seen, limit, memory_order_acq_rel, memory_order_relaxed);
  return true;
}

bool Table::recycle(ElementIndex index) {
  const std::uint64_t meta = arena_.element(index).meta.load(memory_order_acquire);
  if (Meta::kind(meta) != Kind::kLock) return false;                                // what has a record stays
  if (Meta::state(meta) != Meta::kLive || (meta & Meta::kDied) != 0) return false;  // somebody is yet to be told
  if (Meta::kind(meta) != Kind::kLock) return false;                                // what has a record stays
  GateKeeper gate(lane_, index);
  if (!gate.close()) return false;
  finish_recycling(index);
  arena_.count(Counter::kRecycled);
  return true;
}

// With the closed gate in hand. Idempotent up to the last store, which lets the element go.
void Table::finish_recycling(ElementIndex index) {
  Element& element = arena_.element(index);
  const std::uint64_t meta = element.meta.load(memory_order_acquire);
  if (Meta::state(meta) != Meta::kFree) {
    mark(element);
    find({element.hash[0].get(), element.hash[1].get()});  // unlinks it on its way
    element.meta.store(Meta::word(Meta::generation(meta), Meta::kFree, Kind::kLock, 0, false), memory_order_release);
  }
  const Gate gate = Gate::of(element.gate.load(memory_order_acquire));
  element.gate.store(Gate{0, false, Gate::kClosed, gate.pushes}.word(), memory_order_release);
  lane_.forget();
}

bool Table::take_over_recycling(ElementIndex index, LaneId dead, ChunkOwner owner) {
  Element& element = arena_.element(index);
  std::uint64_t seen = element.gate.load(memory_order_acquire);
  Gate gate = Gate::of(seen);
  if (gate.head != Gate::kClosed || gate.holder != dead || !arena_.is_dead(owner)) return true;
  lane_.note(index, 0);
  gate.holder = lane_.id;
  gate.pushes++;  // another word, as in GateKeeper::enter
  if (!element.gate.compare_exchange_strong(seen, gate.word(), memory_order_acq_rel, memory_order_relaxed)) {
    lane_.forget();
    return false;
  }
  arena_.count(Counter::kTakeovers);
  finish_recycling(index);
  return true;
}

// An element of ours that another beat into the table. Its gate is open, and somebody with a handle of its former life
// may be inside: so it is left to the recycling hand as what it is, an idle element that no name leads to.
void Table::discard(ElementIndex index) {
  Element& element = arena_.element(index);
  if (Meta::kind(element.meta.load(memory_order_acquire)) != Kind::kLock) {
    // The hand takes locks only, and a lock's word says that nobody holds it.
    if (Meta::kind(element.meta.load(memory_order_acquire)) == Kind::kBucket) element.fast.store(0, memory_order_release);
    element.meta.fetch_and(~Meta::kKindMask, memory_order_acq_rel);
  }
  element.meta.fetch_add(Meta::kLive - Meta::kInit, memory_order_acq_rel);
  element.maker.store(0, memory_order_release);
  lane_.forget();
}

// An element of ours whose gate is still shut: free again.
void Table::unmake(ElementIndex index) {
  Element& element = arena_.element(index);
  const std::uint64_t meta = element.meta.load(memory_order_acquire);
  element.meta.store(Meta::word(Meta::generation(meta), Meta::kFree, Kind::kLock, 0, false), memory_order_release);
  element.maker.store(0, memory_order_release);
  lane_.forget();
}

// Each change is a CAS on the exact word of the dead one's making, so a second sweeper, however late, changes nothing.
void Table::settle_making(ElementIndex index, LaneId dead, ChunkOwner owner) {
  Element& element = arena_.element(index);
  std::uint64_t meta = element.meta.load(memory_order_acquire);
  const std::uint32_t made = element.maker.load(memory_order_acquire);
  // Dead is asked after the words were read, so that each CAS meets that incarnation's making or nothing.
  if (Maker::lane(made) != dead || !arena_.is_dead(owner)) return;
  if (Meta::state(meta) == Meta::kInit) {
    const std::uint64_t gate = element.gate.load(memory_order_acquire);
    const bool shut = gate == 0 || Gate::of(gate).head == Gate::kClosed;  // 0: never used before
    const std::uint64_t free = Meta::word(Meta::generation(meta), Meta::kFree, Kind::kLock, 0, false);
    // In the table or not, the hand takes a lock that is idle, and a lock only: what no name will lead to becomes one.
    const Kind kind = Meta::kind(meta);
    const bool lost = !shut && kind != Kind::kLock && find({element.hash[0].get(), element.hash[1].get()}).found != index + 1;
    const std::uint64_t live = (lost ? meta & ~Meta::kKindMask : meta) + (Meta::kLive - Meta::kInit);
    if (element.meta.compare_exchange_strong(meta, shut ? free : live, memory_order_acq_rel, memory_order_relaxed) && !shut) {
      // After it, so that only the sweeper whose CAS it was does so; until then the hand takes it for held.
      std::uint64_t full = Tat::kFull;
      if (lost && kind == Kind::kBucket) element.fast.compare_exchange_strong(full, 0, memory_order_acq_rel, memory_order_relaxed);
      GateKeeper::serve_all(lane_, index);  // it may have died before it opened the fast path
    }
  }
  std::uint32_t maker = made;
  element.maker.compare_exchange_strong(maker, 0, memory_order_acq_rel, memory_order_relaxed);
}

// ---- names ---------------------------------------------------------------------------------------------------------

namespace {

// Reads and writes single bytes of a name kept in words, so that a reader of a name that changes under it reads rubbish
// at worst, and never undefined.
template <std::size_t N>
void put_byte(plain<std::uint64_t> (&words)[N], std::size_t at, unsigned char byte) {
  const int shift = static_cast<int>(at % 8) * 8;
  words[at / 8].set((words[at / 8].get() & ~(0xffull << shift)) | (static_cast<std::uint64_t>(byte) << shift));
}

template <std::size_t N>
unsigned char get_byte(const plain<std::uint64_t> (&words)[N], std::size_t at) {
  return static_cast<unsigned char>(words[at / 8].peek() >> (at % 8 * 8));
}

}  // namespace

bool Table::store_name(ElementIndex index, std::uint32_t generation, const char16_t* name, std::size_t length, bool two_byte) {
  Element& element = arena_.element(index);
  const std::size_t bytes = length * (two_byte ? 2 : 1);
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(two_byte ? name[i / 2] >> (i % 2 * 8) : name[i]); };
  if (bytes <= kNameInline) {
    for (std::size_t i = 0; i < bytes; i++) put_byte(element.name, i, byte_at(i));
    return true;
  }
  if (!arena_.ensure(arena_.layout().texts, sizeof(Text) * static_cast<std::size_t>(arena_.capacity().texts))) return false;
  std::uint32_t first = 0;
  Text* last = nullptr;
  for (std::size_t from = 0; from < bytes; from += Text::kBytes) {
    std::uint32_t taken;
    if (!take_text(index, generation, taken)) return false;
    Text& text = arena_.text(taken);
    text.next.set(0);
    for (std::size_t i = from; i < bytes && i < from + Text::kBytes; i++) put_byte(text.bytes, i - from, byte_at(i));
    if (last == nullptr) {
      first = taken + 1;
    } else {
      last->next.set(taken + 1);
    }
    last = &text;
  }
  element.name[0].set(first);
  return true;
}

// A block is in use exactly while the element it names lives in that generation: what the dead had taken comes back by
// itself, and nothing needs a list.
bool Table::text_in_use(std::uint64_t owner) const {
  if (owner == 0) return false;
  const std::uint32_t element = static_cast<std::uint32_t>(owner >> 32);
  if (element == 0 || element > arena_.capacity().elements) return false;
  const std::uint64_t meta = arena_.element(element - 1).meta.load(memory_order_acquire);
  return Meta::state(meta) != Meta::kFree && Meta::generation(meta) == static_cast<std::uint32_t>(owner);
}

bool Table::take_text(ElementIndex index, std::uint32_t generation, std::uint32_t& out) {
  const std::uint32_t count = arena_.capacity().texts;
  for (std::uint32_t probe = 0; probe < count; probe++) {
    const std::uint32_t at = arena_.header().text_hand.fetch_add(1, memory_order_relaxed) % count;
    Text& text = arena_.text(at);
    std::uint64_t owner = text.owner.load(memory_order_acquire);
    if (text_in_use(owner)) continue;
    const std::uint64_t mine = (static_cast<std::uint64_t>(index + 1) << 32) | generation;
    if (owner != mine && text.owner.compare_exchange_strong(owner, mine, memory_order_acq_rel, memory_order_relaxed)) {
      out = at;
      return true;
    }
  }
  return false;
}

// Idle elements give way for their text as they would for their place. Enough of it for a name of so many bytes, or false.
bool Table::free_some_text(std::size_t bytes) {
  const std::uint32_t count = arena_.capacity().texts;
  if (!arena_.ensure(arena_.layout().texts, sizeof(Text) * static_cast<std::size_t>(count))) return false;
  const std::size_t wanted = (bytes + Text::kBytes - 1) / Text::kBytes;
  std::size_t freed = 0;
  for (std::uint32_t at = 0; at < count && freed < wanted; at++) {
    const std::uint64_t owner = arena_.text(at).owner.load(memory_order_acquire);
    if (!text_in_use(owner) || recycle(static_cast<ElementIndex>(owner >> 32) - 1)) freed++;
  }
  return freed >= wanted;
}

std::u16string Table::name_of(const Arena& arena, ElementIndex index) {
  const Element& element = arena.element(index);
  const std::uint64_t meta = element.meta.load(memory_order_acquire);
  const std::size_t bytes = name_bytes(meta);
  std::string raw;
  raw.reserve(bytes);
  if (bytes <= kNameInline) {
    for (std::size_t i = 0; i < bytes; i++) raw.push_back(static_cast<char>(get_byte(element.name, i)));
  } else {
    std::uint32_t next = static_cast<std::uint32_t>(element.name[0].peek());
    while (next != 0 && next <= arena.capacity().texts && raw.size() < bytes) {
      const Text& text = arena.text(next - 1);
      for (std::size_t i = 0; i < Text::kBytes && raw.size() < bytes; i++) raw.push_back(static_cast<char>(get_byte(text.bytes, i)));
      next = text.next.peek();
    }
  }
  std::u16string name;
  if ((meta & Meta::kTwoByte) != 0) {
    for (std::size_t i = 0; i + 1 < raw.size(); i += 2) {
      name.push_back(static_cast<char16_t>(static_cast<unsigned char>(raw[i]) | (static_cast<unsigned char>(raw[i + 1]) << 8)));
    }
  } else {
    for (const char byte : raw) name.push_back(static_cast<unsigned char>(byte));
  }
  return name;
}

}  // namespace forelock::core
