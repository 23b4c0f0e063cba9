// Why an arena could not be opened, in the terms of the faces: a stable code, a sentence, and the facts.
#pragma once

#include <stdexcept>
#include <string>

namespace forelock::shm {

struct OpenError : std::runtime_error {
  OpenError(std::string code, const std::string& message) : std::runtime_error(message), code(std::move(code)) {}
  OpenError(std::string code, const std::string& message, std::string option, std::string stored, std::string given)
      : std::runtime_error(message), code(std::move(code)), option(std::move(option)), stored(std::move(stored)), given(std::move(given)) {}

  std::string code;  // ERR_FORELOCK_…
  std::string option;
  std::string stored;
  std::string given;
};

}  // namespace forelock::shm
