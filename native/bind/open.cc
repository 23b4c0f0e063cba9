#include "bind/open.h"

#include "bind/args.h"
#include "bind/binding.h"
#include "bind/views.h"
#include "shm/error.h"
#include "shm/private_arenas.h"
#include "shm/process.h"

namespace forelock::bind {

namespace {

struct OpenOptions {
  std::optional<std::string> name;
  std::string dir = shm::kDefaultDirectory;
  std::optional<std::string> handle;
  bool fresh = false;
  shm::Wanted wanted;
  napi_value on_wake = nullptr;
};

// Reads properties one by one; a getter that throws ends it with its exception pending. What is out of range is refused
// here once more although the face has looked: the addon believes nobody.
class Reader {
 public:
  Reader(napi_env env, napi_value object) : env_(env), object_(object) {}

  bool failed() const { return failed_; }

  std::optional<std::string> string(const char* name) {
    const napi_value value = property(name);
    if (value == nullptr) return std::nullopt;
    auto out = utf8(env_, value);
    if (!out) fail(name);
    return out;
  }
  std::optional<bool> choice(const char* name) {
    const napi_value value = property(name);
    bool out = false;
    if (value == nullptr) return std::nullopt;
    if (!ok(napi_get_value_bool(env_, value, &out))) fail(name);
    return out;
  }
  bool flag(const char* name) { return choice(name).value_or(false); }
  std::optional<std::uint32_t> count(const char* name, std::uint32_t max) {
    const napi_value value = property(name);
    double number = 0;
    if (value == nullptr) return std::nullopt;
    const auto out = ok(napi_get_value_double(env_, value, &number)) ? whole(number, max) : std::nullopt;
    if (!out) fail(name);
    return out;
  }
  std::optional<std::vector<std::string>> strings(const char* name) {
    const napi_value value = property(name);
    if (value == nullptr) return std::nullopt;
    bool is_array = false;
    std::uint32_t length = 0;
    std::vector<std::string> out;
    if (!ok(napi_is_array(env_, value, &is_array)) || !is_array || !ok(napi_get_array_length(env_, value, &length)) || length < 1 ||
        length > core::kTiers) {
      fail(name);
      return std::nullopt;
    }
    for (std::uint32_t i = 0; i < length; i++) {
      napi_value element;
      const auto word = ok(napi_get_element(env_, value, i, &element)) ? utf8(env_, element) : std::nullopt;
      if (!word || word->empty() || word->size() >= core::kTierNameBytes) {
        fail(name);
        return std::nullopt;
      }
      out.push_back(*word);
    }
    return out;
  }
  napi_value function(const char* name) {
    const napi_value value = property(name);
    if (value == nullptr || !is(env_, value, napi_function)) {
      fail(name);
      return nullptr;
    }
    return value;
  }

 private:
  napi_value property(const char* name) {
    napi_value value;
    if (failed_) return nullptr;
    if (!ok(napi_get_named_property(env_, object_, name, &value))) {
      fail(name);
      return nullptr;
    }
    return is(env_, value, napi_undefined) ? nullptr : value;
  }
  void fail(const char* name) {
    if (failed_) return;
    failed_ = true;
    bool pending = false;
    if (ok(napi_is_exception_pending(env_, &pending)) && !pending) {
      throw_type(env_, (std::string("bad value for the option ") + name).c_str());
    }
  }

  napi_env env_;
  napi_value object_;
  bool failed_ = false;
};

std::optional<OpenOptions> read_options(napi_env env, napi_value object) {
  OpenOptions out;
  Reader reader(env, object);
  out.name = reader.string("name");
  if (auto dir = reader.string("dir")) out.dir = *dir;
  out.handle = reader.string("handle");
  out.fresh = reader.flag("fresh");
  out.wanted.is_virtual = reader.choice("virtual");
  out.wanted.update = reader.flag("update");
  out.wanted.elements = reader.count("elements", core::kMaxElements);
  out.wanted.slots = reader.count("waiters", core::kMaxSlots - core::kChunkSlots);
  out.wanted.participants = reader.count("participants", core::kMaxParticipants);
  out.wanted.texts = reader.count("names", 1u << 24);
  out.wanted.heap = reader.count("heapPages", 1u << 22);
  out.wanted.telemetry = reader.count("telemetry", 1u << 20);
  if (auto ageing = reader.count("ageingMs", 0xffffffff)) out.wanted.ageing_ms = *ageing;
  if (auto parts = reader.count("maxReservePpm", 1'000'000)) out.wanted.max_reserve = static_cast<double>(*parts) / 1e6;
  out.wanted.claim_within_ms = reader.count("claimWithinMs", 0x7fffffff);
  out.wanted.tiers = reader.strings("tiers");
  out.on_wake = reader.function("onWake");
  if (reader.failed()) return std::nullopt;
  return out;
}

void throw_open_error(napi_env env, const shm::OpenError& error) {
  napi_value out;
  if (!ok(napi_create_error(env, text(env, error.code), text(env, std::string(error.what())), &out))) return;
  if (!error.option.empty()) {
    set(env, out, "option", text(env, error.option));
    set(env, out, "stored", text(env, error.stored));
    set(env, out, "given", text(env, error.given));
  }
  napi_throw(env, out);
}

// A path component that stays in its folder.
bool valid_name(const std::string& name) {
  constexpr std::size_t kLongest = 200;
  if (name.empty() || name.size() > kLongest) return false;
  for (const char c : name) {
    if (c == '/' || c == '\0') return false;
  }
  return true;
}

// One use of a private arena, given up again unless kept.
class PrivateUse {
 public:
  explicit PrivateUse(const std::string& handle) : handle_(handle) {}
  ~PrivateUse() {
    if (!kept_ && !handle_.empty()) shm::PrivateArenas::instance().leave(handle_);
  }
  PrivateUse(const PrivateUse&) = delete;
  PrivateUse& operator=(const PrivateUse&) = delete;
  void keep() { kept_ = true; }

 private:
  const std::string handle_;
  bool kept_ = false;
};

void mark_joined(napi_env env, napi_value object, bool joined) { set(env, object, "joined", boolean(env, joined)); }

}  // namespace

napi_value open(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value argument;
  if (!ok(napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr))) return nullptr;
  if (count < 1 || !is(env, argument, napi_object)) {
    throw_type(env, "open needs an object of options");
    return nullptr;
  }
  const auto options = read_options(env, argument);
  if (!options) return nullptr;
  if (options->name && !valid_name(*options->name)) {
    throw_type(env, "the name of an arena is 1 to 200 bytes without a slash or a zero byte");
    return nullptr;
  }
  if (shm::in_forked_child()) {
    napi_throw_error(env, "ERR_FORELOCK_FORKED", "a forked child cannot use its parent's arenas: exec first");
    return nullptr;
  }
  std::string handle;
  try {
    std::unique_ptr<shm::Region> region;
    std::string key;
    if (options->name) {
      region = shm::Region::open_named(options->dir, *options->name, options->wanted);
      // The same file, whatever path led to it, is one arena of this environment.
      const core::Header& header = region->header();
      key = "named:" + std::to_string(header.identity[0]) + ":" + std::to_string(header.identity[1]);
    } else {
      auto& arenas = shm::PrivateArenas::instance();
      if (options->handle) {
        handle = *options->handle;
        region = arenas.open_handle(handle, options->wanted);
      } else {
        region = options->fresh ? arenas.open_fresh(options->wanted, handle) : arenas.open_default(options->wanted, handle);
      }
      key = "private:" + handle;
    }
    // From here on it counts as a user of a private arena, until a Binding of its own answers for it.
    PrivateUse use(handle);
    const Environment* environment = Environment::of(env);
    if (environment == nullptr) return nullptr;
    if (Binding* found = environment->find(key)) {
      found->add_user();
      napi_value object = found->js();
      mark_joined(env, object, false);
      return object;
    }
    Binding* binding = Binding::make(env, std::move(region), key, options->name.value_or(""), handle, options->on_wake);
    if (binding == nullptr) return nullptr;
    use.keep();
    napi_value object = binding->js();
    mark_joined(env, object, true);
    return object;
  } catch (const shm::OpenError& error) {
    throw_open_error(env, error);
  } catch (const core::Corrupt& error) {
    napi_throw_error(env, "ERR_FORELOCK_CORRUPT", error.what());
  } catch (const std::exception& error) {  // bad_alloc, system_error of a thread that cannot start
    napi_throw_error(env, "ERR_FORELOCK_MEMORY", error.what());
  }
  return nullptr;
}

napi_value unlink(napi_env env, napi_callback_info info) {
  std::size_t count = 3;
  napi_value values[3];
  if (!ok(napi_get_cb_info(env, info, &count, values, nullptr, nullptr))) return nullptr;
  const auto name = count >= 1 ? utf8(env, values[0]) : std::nullopt;
  const auto dir =
      count >= 2 && is(env, values[1], napi_string) ? utf8(env, values[1]) : std::optional<std::string>(shm::kDefaultDirectory);
  bool force = false;
  if (count >= 3 && is(env, values[2], napi_boolean)) napi_get_value_bool(env, values[2], &force);
  if (!name || !dir || !valid_name(*name)) {
    throw_type(env, "unlink needs the name of an arena, and perhaps a folder and a flag");
    return nullptr;
  }
  try {
    return boolean(env, shm::Region::unlink(*dir, *name, force));
  } catch (const shm::OpenError& error) {
    throw_open_error(env, error);
  }
  return nullptr;
}

namespace {

// An arena that is only looked at needs nothing of the machine.
class Onlooker final : public core::Host {
 public:
  bool back(std::size_t, std::size_t) override { return false; }
  void wake(core::ParticipantId) override {}
  core::Nanos now() override { return shm::monotonic_now(); }
};

}  // namespace

napi_value inspect(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value values[2];
  if (!ok(napi_get_cb_info(env, info, &count, values, nullptr, nullptr))) return nullptr;
  const auto name = count >= 1 ? utf8(env, values[0]) : std::nullopt;
  const auto dir =
      count >= 2 && is(env, values[1], napi_string) ? utf8(env, values[1]) : std::optional<std::string>(shm::kDefaultDirectory);
  if (!name || !dir || !valid_name(*name)) {
    throw_type(env, "inspect needs the name of an arena, and perhaps a folder");
    return nullptr;
  }
  try {
    const auto region = shm::Region::open_existing(*dir, *name);
    Onlooker onlooker;
    const core::Arena arena(region->base(), onlooker);
    if (arena.layout().size != region->size()) throw core::Corrupt("the arena's capacity changed while it was opened");
    const core::Nanos now =
        region->header().is_virtual != 0 ? region->header().virtual_now.load(std::memory_order_acquire) : shm::monotonic_now();
    napi_value out = object(env);
    set(env, out, "options", options_to_js(env, region->header()));
    set(env, out, "participants", participants_to_js(env, arena));
    set(env, out, "locks", to_js(env, shm::snapshot(arena, now, nullptr)));
    set(env, out, "counters", counters_to_js(env, arena));
    return out;
  } catch (const shm::OpenError& error) {
    throw_open_error(env, error);
  } catch (const core::Corrupt& error) {
    napi_throw_error(env, "ERR_FORELOCK_CORRUPT", error.what());
  } catch (const std::exception& error) {  // no memory for the picture
    napi_throw_error(env, "ERR_FORELOCK_MEMORY", error.what());
  }
  return nullptr;
}

}  // namespace forelock::bind
