// Names that records speak of by number: workflows, actions, tenants, clients. Each is an element of its own kind that stays for the
// arena's life, so a number means one name for ever. They share the element table with the locks, so they may take half of
// it at most, and half of the text for long names: a client of unknown name costs nobody their lock. 0 is no name.
#pragma once

#include <string>

#include "core/table.h"

namespace forelock::core {

using NameId = std::uint32_t;  // index of the element, plus one

// The number of a name, which is given one if there is room; else 0, counted in Counter::kNamesLost.
inline NameId intern(Lane& lane, const char16_t* name, std::size_t length) {
  Arena& arena = lane.arena;
  Table table(lane);
  Handle handle{};
  if (table.has(Kind::kName, name, length, handle)) return handle.index + 1;
  Header& header = arena.header();
  const auto texts = static_cast<std::uint32_t>(length <= kNameInline / 2 ? 0 : (2 * length + Text::kBytes - 1) / Text::kBytes);
  // Counted before it is made, and for good: two that make the same name count it twice.
  if (length <= kNameMaxUnits && header.names.load(memory_order_relaxed) < arena.capacity().elements / 2 &&
      header.name_texts.load(memory_order_relaxed) + texts <= arena.capacity().texts / 2) {
    header.names.fetch_add(1, memory_order_relaxed);
    header.name_texts.fetch_add(texts, memory_order_relaxed);
    lane.refresh();
    if (table.lookup(Kind::kName, name, length, handle) == Found::kOk) return handle.index + 1;
  }
  arena.count(Counter::kNamesLost);
  return 0;
}

// False for a number that no name has.
inline bool name_of(const Arena& arena, NameId id, std::u16string& out) {
  if (id == 0 || id > arena.capacity().elements || id > arena.header().backed_elements.load(memory_order_acquire)) return false;
  const std::uint64_t meta = arena.element(id - 1).meta.load(memory_order_acquire);
  if (Meta::state(meta) != Meta::kLive || Meta::kind(meta) != Kind::kName) return false;
  out = Table::name_of(arena, id - 1);
  return true;
}

}  // namespace forelock::core
