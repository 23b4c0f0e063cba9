// The calls that read telemetry and counts, and those that add to it from JavaScript.
#include <algorithm>
#include <cstring>

#include "bind/args.h"
#include "bind/binding.h"
#include "bind/scratch.h"
#include "core/lane_reader.h"
#include "core/names.h"
#include "core/notes.h"
#include "core/stats.h"
#include "shm/process.h"

namespace forelock::bind {

namespace {

// Memory of a typed array or a DataView, whatever its buffer is; nothing for anything else. A detached one has no bytes.
struct Bytes {
  unsigned char* at = nullptr;
  std::size_t size = 0;
};

std::size_t bytes_per_element(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
  }
  return 0;  // of a kind that this build does not know
}

std::optional<Bytes> bytes_of(napi_env env, napi_value value) {
  bool is_view = false;
  void* data = nullptr;
  std::size_t length = 0;
  if (ok(napi_is_typedarray(env, value, &is_view)) && is_view) {
    napi_typedarray_type type;
    if (!ok(napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr))) return std::nullopt;
    const std::size_t size = length * bytes_per_element(type);
    return Bytes{static_cast<unsigned char*>(data), data == nullptr ? 0 : size};
  }
  if (ok(napi_is_dataview(env, value, &is_view)) && is_view) {
    if (!ok(napi_get_dataview_info(env, value, &length, &data, nullptr, nullptr))) return std::nullopt;
    return Bytes{static_cast<unsigned char*>(data), data == nullptr ? 0 : length};
  }
  return std::nullopt;
}

napi_value quantiles_to_js(napi_env env, const core::Quantiles& quantiles) {
  napi_value out = object(env);
  set(env, out, "count", number(env, static_cast<double>(quantiles.count)));
  set(env, out, "p50", number(env, static_cast<double>(quantiles.p50)));
  set(env, out, "p90", number(env, static_cast<double>(quantiles.p90)));
  set(env, out, "p99", number(env, static_cast<double>(quantiles.p99)));
  set(env, out, "max", number(env, static_cast<double>(quantiles.max)));
  return out;
}

napi_value tier_to_js(napi_env env, const core::TierStats& stats) {
  napi_value out = object(env);
  set(env, out, "tier", number(env, stats.tier));
  set(env, out, "grants", number(env, static_cast<double>(stats.grants)));
  set(env, out, "refusals", number(env, static_cast<double>(stats.refusals)));
  set(env, out, "timeouts", number(env, static_cast<double>(stats.timeouts)));
  set(env, out, "aborts", number(env, static_cast<double>(stats.aborts)));
  set(env, out, "deadlocks", number(env, static_cast<double>(stats.deadlocks)));
  set(env, out, "waiting", number(env, static_cast<double>(stats.waiting)));
  set(env, out, "inUse", number(env, stats.in_use));
  set(env, out, "wait", quantiles_to_js(env, stats.wait));
  set(env, out, "hold", quantiles_to_js(env, stats.hold));
  return out;
}

napi_value stats_to_js(napi_env env, const std::vector<core::ElementStats>& all) {
  napi_value out = array(env);
  for (std::uint32_t i = 0; i < all.size(); i++) {
    napi_handle_scope scope;
    if (!ok(napi_open_handle_scope(env, &scope))) return out;
    napi_value element = object(env);
    set(env, element, "name", text(env, all[i].name));
    set(env, element, "kind", number(env, static_cast<double>(all[i].kind)));
    napi_value tiers = array(env);
    for (std::uint32_t j = 0; j < all[i].tiers.size(); j++) napi_set_element(env, tiers, j, tier_to_js(env, all[i].tiers[j]));
    set(env, element, "tiers", tiers);
    napi_set_element(env, out, i, element);
    napi_close_handle_scope(env, scope);
  }
  return out;
}

// What an arena that is damaged, or memory that is short, makes of a call.
template <typename Body>
napi_value guarded(napi_env env, Body body) {
  try {
    return body();
  } catch (const core::Corrupt& corrupt) {
    napi_throw_error(env, "ERR_FORELOCK_CORRUPT", corrupt.what());
  } catch (const std::exception& error) {
    napi_throw_error(env, "ERR_FORELOCK_MEMORY", error.what());
  }
  return nullptr;
}

}  // namespace

bool Binding::define_telemetry(napi_value object) {
  return add(object, "observe", observe) && add(object, "unobserve", unobserve) && add(object, "drainRecords", drain_records) &&
         add(object, "drainNotes", drain_notes) && add(object, "recordsLost", records_lost) && add(object, "note", note) &&
         add(object, "intern", intern) && add(object, "nameOf", name_of) && add(object, "stats", stats) &&
         add(object, "cpuCounter", cpu_counter) && add(object, "isObserved", is_observed) && add(object, "elementName", element_name);
}

// The binding of a call that may go on, with its arguments.
Binding* Binding::usable_self(napi_env env, napi_callback_info info, std::size_t* count, napi_value* values) {
  Binding* binding = self(env, info, count, values);
  if (binding == nullptr || !binding->attachment_ || shm::in_forked_child() || binding->damaged_) return nullptr;
  return binding;
}

// A reader of its own for each who asks: its number, 0 for none. This environment observes as long as it has any.
napi_value Binding::observe(napi_env env, napi_callback_info info) {
  Binding* binding = usable_self(env, info);
  if (binding == nullptr) return integer(env, 0);
  return guarded(env, [&] {
    core::Arena& arena = binding->attachment_->arena();
    core::begin_stats(arena);  // without memory for it there are records and no counts
    binding->readers_[++binding->last_reader_] = std::make_unique<core::LaneReader>(arena);
    core::observe(arena, binding->attachment_->participant(), true);
    return number(env, binding->last_reader_);
  });
}

napi_value Binding::unobserve(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = usable_self(env, info, &count, &value);
  if (binding == nullptr || count < 1) return nullptr;
  return guarded(env, [&]() -> napi_value {
    std::uint32_t id = 0;
    napi_get_value_uint32(env, value, &id);
    if (binding->readers_.erase(id) == 0 || !binding->readers_.empty()) return nullptr;
    binding->attachment_->member().telemetry().flush();
    core::observe(binding->attachment_->arena(), binding->attachment_->participant(), false);
    return nullptr;
  });
}

core::LaneReader* Binding::reader(napi_env env, napi_value id) {
  std::uint32_t number = 0;
  if (!ok(napi_get_value_uint32(env, id, &number))) return nullptr;
  const auto found = readers_.find(number);
  return found == readers_.end() ? nullptr : found->second.get();
}

napi_value Binding::drain_records(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value values[2];
  Binding* binding = usable_self(env, info, &count, values);
  if (binding == nullptr || count < 2) return integer(env, 0);
  core::LaneReader* reader = binding->reader(env, values[0]);
  const auto bytes = bytes_of(env, values[1]);
  if (!bytes) return integer(env, kBadArgument);
  if (reader == nullptr) return integer(env, 0);
  const std::size_t records = std::min<std::size_t>(bytes->size / core::kRecordBytes, 1u << 24);
  return guarded(env, [&] { return integer(env, static_cast<std::int32_t>(reader->drain(bytes->at, records))); });
}

napi_value Binding::drain_notes(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value values[2];
  Binding* binding = usable_self(env, info, &count, values);
  if (binding == nullptr || count < 2) return integer(env, 0);
  core::LaneReader* reader = binding->reader(env, values[0]);
  const auto bytes = bytes_of(env, values[1]);
  if (!bytes || bytes->size < sizeof(core::DrainedNote) + core::kNoteMaxBytes) return integer(env, kBadArgument);
  if (reader == nullptr) return integer(env, 0);
  const std::size_t size = std::min<std::size_t>(bytes->size, 1u << 30);
  return guarded(env, [&] { return integer(env, static_cast<std::int32_t>(reader->drain_notes(bytes->at, size))); });
}

// Records and notes that this reader came too late for.
napi_value Binding::records_lost(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = usable_self(env, info, &count, &value);
  napi_value out = array(env);
  const core::LaneReader* reader = binding == nullptr || count < 1 ? nullptr : binding->reader(env, value);
  napi_set_element(env, out, 0, number(env, reader == nullptr ? 0 : static_cast<double>(reader->lost())));
  napi_set_element(env, out, 1, number(env, reader == nullptr ? 0 : static_cast<double>(reader->lost_notes())));
  return out;
}

napi_value Binding::is_observed(napi_env env, napi_callback_info info) {
  Binding* binding = usable_self(env, info);
  return boolean(env, binding != nullptr && binding->attachment_->member().telemetry().on());
}

// False: nobody observes, it is too long for this ring, or there is no memory.
napi_value Binding::note(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value values[2];
  Binding* binding = usable_self(env, info, &count, values);
  std::uint32_t kind = 0;
  if (binding == nullptr || count < 2 || !ok(napi_get_value_uint32(env, values[0], &kind))) return boolean(env, false);
  const auto bytes = bytes_of(env, values[1]);
  if (!bytes || bytes->size > core::kNoteMaxBytes) return boolean(env, false);
  return guarded(env, [&] {
    shm::Attachment& attachment = *binding->attachment_;
    if (!attachment.member().telemetry().on()) return boolean(env, false);
    if (binding->notes_ == nullptr) {
      if (!core::back_lane(attachment.arena(), attachment.participant())) {
        attachment.arena().count(core::Counter::kRecordsLost);
        return boolean(env, false);
      }
      binding->notes_ = std::make_unique<core::NoteRing>(attachment.arena(), attachment.participant());
    }
    // A copy first: the memory may be shared with threads that write to it.
    unsigned char copy[core::kNoteMaxBytes];
    if (bytes->size != 0) std::memcpy(copy, bytes->at, bytes->size);
    return boolean(env, binding->notes_->write(kind, attachment.ticks(), copy, static_cast<std::uint32_t>(bytes->size)));
  });
}

// The number of a name, 0 when there is no room for it.
napi_value Binding::intern(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = usable_self(env, info, &count, &value);
  char16_t name[core::kNameMaxUnits + 2];
  std::size_t length = 0;
  if (binding == nullptr || count < 1 || !is(env, value, napi_string) ||
      !ok(napi_get_value_string_utf16(env, value, name, core::kNameMaxUnits + 2, &length))) {
    return integer(env, 0);
  }
  try {
    return number(env, core::intern(binding->attachment_->member().lane(), name, length));
  } catch (const std::exception&) {
    binding->damage();
    return integer(env, 0);
  }
}

napi_value Binding::name_of(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = usable_self(env, info, &count, &value);
  std::uint32_t id = 0;
  if (binding == nullptr || count < 1 || !ok(napi_get_value_uint32(env, value, &id))) return nullptr;
  return guarded(env, [&]() -> napi_value {
    std::u16string name;
    return core::name_of(binding->attachment_->arena(), id, name) ? text(env, name) : nullptr;
  });
}

// What a record is about; undefined where its place in the arena is another's by now.
napi_value Binding::element_name(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value values[2];
  Binding* binding = usable_self(env, info, &count, values);
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  if (binding == nullptr || count < 2 || !ok(napi_get_value_uint32(env, values[0], &index)) ||
      !ok(napi_get_value_uint32(env, values[1], &generation))) {
    return nullptr;
  }
  return guarded(env, [&]() -> napi_value {
    const core::Arena& arena = binding->attachment_->arena();
    if (index >= arena.capacity().elements) return nullptr;
    const auto is_it = [&] {
      const std::uint64_t meta = arena.element(index).meta.load(std::memory_order_acquire);
      return core::Meta::generation(meta) == generation && core::Meta::state(meta) == core::Meta::kLive;
    };
    if (!is_it()) return nullptr;
    const std::u16string name = core::Table::name_of(arena, index);
    return is_it() ? text(env, name) : nullptr;  // not given to another while it was read
  });
}

// Of a lock by name and kind, or of the busiest; and the rest. Begins to count if nobody has asked before; null without memory.
napi_value Binding::stats(napi_env env, napi_callback_info info) {
  std::size_t count = 3;
  napi_value values[3];
  Binding* binding = usable_self(env, info, &count, values);
  if (binding == nullptr) return nullptr;
  std::uint32_t top = 0;
  std::uint32_t kind = 0;
  if (count < 1 || !ok(napi_get_value_uint32(env, values[0], &top))) return nullptr;
  return guarded(env, [&]() -> napi_value {
    shm::Attachment& attachment = *binding->attachment_;
    const core::Arena& arena = attachment.arena();
    if (!core::begin_stats(arena)) return nullptr;
    attachment.member().telemetry().flush();
    std::vector<core::ElementStats> all;
    if (count >= 3 && is(env, values[1], napi_string) && ok(napi_get_value_uint32(env, values[2], &kind)) && kind < core::kKinds) {
      char16_t name[core::kNameMaxUnits + 2];
      std::size_t length = 0;
      core::Handle handle{};
      core::ElementStats found;
      if (ok(napi_get_value_string_utf16(env, values[1], name, core::kNameMaxUnits + 2, &length)) &&
          core::Table(attachment.member().lane()).has(static_cast<core::Kind>(kind), name, length, handle) &&
          core::read_stats_of(arena, handle, attachment.now(), found)) {
        all.push_back(std::move(found));
      }
    } else {
      all = core::read_stats(arena, attachment.now(), top);
    }
    napi_value out = object(env);
    set(env, out, "elements", stats_to_js(env, all));
    set(env, out, "rest", stats_to_js(env, core::read_rest(arena, attachment.now())));
    return out;
  });
}

// Whether records are timed by the CPU's counter; with an argument, sets it first where that is possible.
napi_value Binding::cpu_counter(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = usable_self(env, info, &count, &value);
  bool wanted = false;
  if (binding == nullptr) return boolean(env, false);
  shm::Ticks& clock = binding->attachment_->clock();
  if (count >= 1 && ok(napi_get_value_bool(env, value, &wanted))) clock.use_counter(wanted);
  return boolean(env, clock.uses_counter());
}

}  // namespace forelock::bind
