#include "bind/meter.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "bind/args.h"
#include "bind/environment.h"
#include "bind/exit_poll.h"
#include "linux/meter.h"
#include "linux/thread_account.h"

namespace forelock::bind {

namespace {

constexpr std::uint32_t kMostFiles = 16;
constexpr std::uint32_t kMostTerms = 32;
constexpr double kLastScope = static_cast<double>(os::Scope::kOtherThread);

// The processes that an environment meters. Between two looks of libuv at its children JavaScript may run for long, and what ends in that
// time is not polled before it is reaped: so whenever one of them begins or ends, all are looked at. Each environment has its own, used by
// its thread.
class Processes {
 public:
  static void add(napi_env env, os::ChildAccount* process) {
    const std::lock_guard guard(mutex());
    all()[env].insert(process);
  }
  static void remove(napi_env env, os::ChildAccount* process) {
    const std::lock_guard guard(mutex());
    const auto own = all().find(env);
    if (own == all().end()) return;
    own->second.erase(process);
    if (own->second.empty()) all().erase(own);
  }
  static void look(napi_env env) {
    const std::lock_guard guard(mutex());
    const auto own = all().find(env);
    if (own == all().end()) return;
    for (os::ChildAccount* process : own->second) process->look();
  }

 private:
  // Never destroyed: threads may outlive the static objects of a program that exits.
  static std::mutex& mutex() {
    static auto& mutex = *new std::mutex;
    return mutex;
  }
  static std::map<napi_env, std::set<os::ChildAccount*>>& all() {
    static auto& all = *new std::map<napi_env, std::set<os::ChildAccount*>>;
    return all;
  }
};

// What JavaScript has of a meter: three functions, any of which may outlive the other, and the numbers that the first writes.
class MeterObject final : private ExitPoll::Listener {
 public:
  static napi_value make(napi_env env, std::unique_ptr<os::Meter> meter, const std::vector<bool>& opened);

 private:
  MeterObject(napi_env env, std::unique_ptr<os::Meter> meter) : env_(env), meter_(std::move(meter)) {}
  ~MeterObject() { end(); }
  void process_ended() override { Processes::look(env_); }
  void poll_gone() override { poll_ = nullptr; }
  void end();

  bool define(napi_env env, napi_value object);
  bool add(napi_env env, napi_value object, const char* name, napi_callback callback);
  static MeterObject* self(napi_env env, napi_callback_info info);
  static napi_value read(napi_env env, napi_callback_info info);
  static napi_value read_again(napi_env env, napi_callback_info info);
  void write_reading();
  static napi_value close(napi_env env, napi_callback_info info);
  static void forget(napi_env env, void* data, void* hint);

  const napi_env env_;
  std::unique_ptr<os::Meter> meter_;
  volatile double* counters_ = nullptr;
  napi_ref counters_ref_ = nullptr;  // keeps them while any function may write to them
  int functions_ = 0;
  ExitPoll* poll_ = nullptr;  // of another process, while it runs
};

napi_value MeterObject::make(napi_env env, std::unique_ptr<os::Meter> meter, const std::vector<bool>& opened) {
  auto* made = new MeterObject(env, std::move(meter));
  napi_value object;
  if (!ok(napi_create_object(env, &object)) || !made->define(env, object)) {
    if (made->functions_ == 0) delete made;
    return nullptr;
  }
  if (os::ChildAccount* child = made->meter_->child()) {
    Processes::add(env, child);
    Processes::look(env);
    made->poll_ = ExitPoll::start(env, child->descriptor(), *made);
  }
  set(env, object, "userOnly", boolean(env, made->meter_->counts_user_only()));
  napi_value files = array(env);
  for (std::uint32_t i = 0; i < opened.size(); i++) napi_set_element(env, files, i, boolean(env, opened[i]));
  set(env, object, "opened", files);
  return object;
}

bool MeterObject::define(napi_env env, napi_value object) {
  Environment* environment = Environment::of(env);
  napi_value counters = environment == nullptr ? nullptr : environment->doubles(os::kCounters, &counters_);
  if (counters == nullptr) return false;
  set(env, object, "counters", counters);
  return add(env, object, "read", read) && add(env, object, "readAgain", read_again) && add(env, object, "close", close) &&
         ok(napi_create_reference(env, counters, 1, &counters_ref_));
}

bool MeterObject::add(napi_env env, napi_value object, const char* name, napi_callback callback) {
  napi_value function;
  if (!ok(napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, this, &function))) return false;
  functions_++;
  if (!ok(napi_add_finalizer(env, function, this, forget, nullptr, nullptr))) return false;
  return ok(napi_set_named_property(env, object, name, function));
}

void MeterObject::forget(napi_env env, void* data, void*) {
  auto* object = static_cast<MeterObject*>(data);
  if (--object->functions_ > 0) return;
  if (object->counters_ref_ != nullptr) napi_delete_reference(env, object->counters_ref_);
  delete object;
}

MeterObject* MeterObject::self(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  return ok(napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data)) ? static_cast<MeterObject*>(data) : nullptr;
}

napi_value MeterObject::read(napi_env env, napi_callback_info info) {
  if (MeterObject* object = self(env, info)) object->write_reading();
  return nullptr;
}

napi_value MeterObject::read_again(napi_env env, napi_callback_info info) {
  MeterObject* object = self(env, info);
  if (object == nullptr || object->counters_ == nullptr) return nullptr;
  double wall = 0;
  double cpu = 0;
  if (object->meter_ == nullptr || !object->meter_->is_young(wall, cpu)) {
    object->write_reading();
  } else {
    // The others are there: nobody else writes them.
    object->counters_[os::kWall] = wall;
    object->counters_[os::kCpu] = cpu;
  }
  return nullptr;
}

void MeterObject::write_reading() {
  if (counters_ == nullptr) return;
  double counters[os::kCounters];
  if (meter_ != nullptr) {
    meter_->read(counters);
  } else {
    std::fill(counters, counters + os::kCounters, os::kAbsent);
  }
  for (int i = 0; i < os::kCounters; i++) counters_[i] = counters[i];
}

napi_value MeterObject::close(napi_env env, napi_callback_info info) {
  if (MeterObject* object = self(env, info)) object->end();
  return nullptr;
}

void MeterObject::end() {
  if (poll_ != nullptr) poll_->close();
  poll_ = nullptr;
  if (meter_ != nullptr && meter_->child() != nullptr) {
    Processes::look(env_);
    Processes::remove(env_, meter_->child());
  }
  meter_.reset();
}

std::optional<double> number_at(napi_env env, napi_value array, std::uint32_t at) {
  napi_value value;
  double number = 0;
  if (!ok(napi_get_element(env, array, at, &value)) || !ok(napi_get_value_double(env, value, &number))) return std::nullopt;
  return number;
}

std::optional<std::string> text_at(napi_env env, napi_value array, std::uint32_t at) {
  napi_value value;
  if (!ok(napi_get_element(env, array, at, &value))) return std::nullopt;
  return utf8(env, value);
}

std::optional<std::uint32_t> length_of(napi_env env, napi_value value, std::uint32_t most) {
  bool is_array = false;
  std::uint32_t length = 0;
  if (!ok(napi_is_array(env, value, &is_array)) || !is_array || !ok(napi_get_array_length(env, value, &length)) || length > most) {
    return std::nullopt;
  }
  return length;
}

// [column, key, counter, factor, orZero]
std::optional<os::Term> term_of(napi_env env, napi_value value) {
  constexpr double kMostColumns = 1000;
  if (!length_of(env, value, 5)) return std::nullopt;
  const auto column = number_at(env, value, 0);
  const auto key = text_at(env, value, 1);
  const auto counter = number_at(env, value, 2);
  const auto factor = number_at(env, value, 3);
  const auto or_zero = number_at(env, value, 4);
  if (!column || !key || !counter || !factor || !or_zero) return std::nullopt;
  const auto at = whole(*counter, os::kCounters - 1);
  if (!at || !(std::abs(*column) <= kMostColumns)) return std::nullopt;
  return os::Term{static_cast<int>(*column), *key, static_cast<int>(*at), *factor, *or_zero != 0};
}

// [path, ...terms]
std::optional<os::AccountFile> file_of(napi_env env, napi_value value) {
  const auto length = length_of(env, value, kMostTerms);
  if (!length || *length == 0) return std::nullopt;
  const auto path = text_at(env, value, 0);
  std::vector<os::Term> terms;
  for (std::uint32_t i = 1; i < *length; i++) {
    napi_value element;
    if (!ok(napi_get_element(env, value, i, &element))) return std::nullopt;
    const auto term = term_of(env, element);
    if (!term) return std::nullopt;
    terms.push_back(*term);
  }
  if (!path) return std::nullopt;
  return os::AccountFile(*path, std::move(terms));
}

// Those that could be opened; `opened` is told which. Nothing, and a pending exception perhaps: it is no list of files.
std::optional<std::vector<os::AccountFile>> files_of(napi_env env, napi_value value, std::vector<bool>& opened) {
  const auto length = length_of(env, value, kMostFiles);
  if (!length) return std::nullopt;
  std::vector<os::AccountFile> files;
  for (std::uint32_t i = 0; i < *length; i++) {
    napi_value element;
    if (!ok(napi_get_element(env, value, i, &element))) return std::nullopt;
    auto file = file_of(env, element);
    if (!file) return std::nullopt;
    opened.push_back(file->is_open());
    if (file->is_open()) files.push_back(std::move(*file));
  }
  return files;
}

napi_value refuse(napi_env env) {
  bool pending = false;
  // A getter of the caller's own may have thrown: that is what it hears then.
  if (!ok(napi_is_exception_pending(env, &pending)) || !pending) throw_type(env, "meter(scope, pid, all, files)");
  return nullptr;
}

}  // namespace

// threadBegins(number): the thread of this environment has that number, until the environment ends; once for each.
napi_value thread_begins(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  double number = 0;
  if (!ok(napi_get_cb_info(env, info, &count, &value, nullptr, nullptr)) || count < 1 || !ok(napi_get_value_double(env, value, &number)) ||
      !whole(number, INT_MAX)) {
    throw_type(env, "threadBegins(number)");
    return nullptr;
  }
  const auto id = static_cast<std::uint32_t>(number);
  // A hook is set once: both module systems may load this into one environment, and each says it.
  if (!os::ThreadAccount::begin(id)) return nullptr;
  napi_add_env_cleanup_hook(
      env, [](void* data) { os::ThreadAccount::end(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(data))); },
      reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)));
  return nullptr;
}

// meter(scope, pid, all, files): {read(), readAgain(), close(), counters, opened, userOnly}. undefined: the first file of another process,
// by which it is known, cannot be opened.
napi_value meter(napi_env env, napi_callback_info info) {
  std::size_t count = 4;
  napi_value values[4];
  double scope = 0;
  double pid = 0;
  bool all = false;
  if (!ok(napi_get_cb_info(env, info, &count, values, nullptr, nullptr)) || count < 4 ||
      !ok(napi_get_value_double(env, values[0], &scope)) || !ok(napi_get_value_double(env, values[1], &pid)) ||
      !ok(napi_get_value_bool(env, values[2], &all))) {
    return refuse(env);
  }
  const auto wanted = whole(scope, static_cast<std::uint32_t>(kLastScope));
  const auto number = whole(pid, INT_MAX);
  if (!wanted || !number) return refuse(env);
  const auto kind = static_cast<os::Scope>(*wanted);
  const auto process = kind == os::Scope::kProcess ? getpid() : static_cast<pid_t>(*number);
  if (kind == os::Scope::kOther && process == 0) return refuse(env);
  try {
    std::vector<bool> opened;
    auto files = files_of(env, values[3], opened);
    if (!files || (kind == os::Scope::kOther && opened.empty())) return refuse(env);
    if (kind == os::Scope::kOther && !opened.front()) return nullptr;
    return MeterObject::make(env, std::make_unique<os::Meter>(kind, process, all, std::move(*files)), opened);
  } catch (const std::bad_alloc& error) {
    napi_throw_error(env, "ERR_FORELOCK_MEMORY", error.what());
    return nullptr;
  }
}

}  // namespace forelock::bind
