// The elements by name: hash chains in the elements themselves, lock-free after Harris (2001) and Michael (2002), with
// tagged links. Elements that nobody holds or waits for are recycled by a CLOCK hand (Corbato, 1968) over their state
// words; there is no free list, so a death loses no entry of one.
#pragma once

#include <string>

#include "core/gate.h"
#include "core/hash.h"

namespace forelock::core {

enum class Found { kOk, kNoElements, kNoNames, kNameTooLong, kOutOfMemory };

struct Handle {
  ElementIndex index;
  std::uint32_t generation;
};

class Table {
 public:
  explicit Table(Lane& lane) : lane_(lane), arena_(lane.arena) {}

  // Finds the element of this name or makes it.
  Found lookup(Kind kind, const char16_t* name, std::size_t length, Handle& out);

  // Finds it, if it is there.
  bool has(Kind kind, const char16_t* name, std::size_t length, Handle& out);

  // Ends the recycling of an element whose inbox this lane has closed, or takes that over from a dead lane.
  void finish_recycling(ElementIndex index);
  bool take_over_recycling(ElementIndex index, LaneId dead, ChunkOwner owner);

  // Ends the making of an element by a lane that died over it.
  void settle_making(ElementIndex index, LaneId dead, ChunkOwner owner);

  static std::u16string name_of(const Arena& arena, ElementIndex index);

 private:
  struct Place {
    atomic<std::uint64_t>* link;  // the link that points to the element, or where it would stand
    std::uint64_t word;           // as it was read
    std::uint32_t found;          // index + 1, 0 when not found
    std::uint32_t generation;     // of what was found, while it was in the chain
  };
  Place find(Hash hash);
  void mark(Element& element);
  bool leaving(const Element& element) const;
  Found allocate(ElementIndex& out);
  bool claim(ElementIndex index);
  bool grow();
  bool recycle(ElementIndex index);
  bool store_name(ElementIndex index, std::uint32_t generation, const char16_t* name, std::size_t length, bool two_byte);
  bool take_text(ElementIndex index, std::uint32_t generation, std::uint32_t& out);
  bool free_some_text(std::size_t bytes);
  bool text_in_use(std::uint64_t owner) const;
  void discard(ElementIndex index);
  void unmake(ElementIndex index);

  Lane& lane_;
  Arena& arena_;
};

}  // namespace forelock::core
