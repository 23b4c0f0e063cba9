// What the executables of this folder share: a list of configurations, each explored, one line each.
//
//   EXE                            explores all
//   EXE --only TEXT                only those whose name contains TEXT
//   EXE --replay NAME SCHEDULE     runs one schedule of one configuration and prints every operation
//   EXE --verbose                  names the locations at which threads compete
//   EXE --list
#pragma once

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "explorer.h"

namespace scheduled {

class Suite {
 public:
  Suite(int argc, char** argv) {
    for (int i = 1; i < argc; i++) {
      const std::string option = argv[i];
      if (option == "--list") {
        list_ = true;
      } else if (option == "--verbose") {
        verbose_ = true;
      } else if (option == "--only" && i + 1 < argc) {
        only_ = argv[++i];
      } else if (option == "--replay" && i + 2 < argc) {
        replay_name_ = argv[++i];
        replay_ = argv[++i];
      } else {
        std::fprintf(stderr, "usage: %s [--list] [--verbose] [--only TEXT] [--replay NAME SCHEDULE]\n", argv[0]);
        std::exit(2);
      }
    }
  }

  // Passes when no schedule violates anything and all were tried (within the bound on preemptions, if there is one).
  void holds(const std::string& name, Model model) {
    if (!wanted(name, model)) return;
    const Result result = Explorer(model).explore();
    const bool good = result.violation.empty() && result.exhausted;
    print(good, name, model, result, good ? "" : result.violation.empty() ? "NOT exhausted" : result.violation);
    if (!result.violation.empty()) explain(name, result);
  }

  // Passes when a violation is found whose text contains this, and the printed schedule leads to it again.
  void fails(const std::string& name, const std::string& text, Model model) {
    if (!wanted(name, model)) return;
    const Result result = Explorer(model).explore();
    const bool found = result.violation.find(text) != std::string::npos && !result.violation.empty();
    bool again = false;
    if (found) again = Explorer(model).replay(result.schedule).violation == result.violation;
    const std::string what = !found  ? (result.violation.empty() ? "the bug was NOT found" : "found instead: " + result.violation)
                             : again ? "found: " + result.violation
                                     : "found, but NOT again on replay: " + result.violation;
    print(found && again, name, model, result, what);
    if (result.violation.empty() || (found && again)) return;
    explain(name, result);
  }

  // For what is no configuration.
  void report(const std::string& name, bool good, const std::string& what) {
    (good ? passed_ : failed_)++;
    std::printf("%s %s: %s\n", good ? "ok  " : "FAIL", name.c_str(), what.c_str());
  }

  int finish() const {
    if (list_ || !replay_.empty()) return 0;
    std::printf("%d passed, %d failed\n", passed_, failed_);
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  bool wanted(const std::string& name, const Model& model) {
    if (list_) {
      std::printf("%s\n", name.c_str());
      return false;
    }
    if (!replay_.empty()) {
      if (name != replay_name_) return false;
      const Result result = Explorer(model).replay(replay_);
      for (const std::string& line : result.trace) std::printf("%s\n", line.c_str());
      std::printf("%s\n", result.violation.empty() ? "no violation" : result.violation.c_str());
      return false;
    }
    return name.find(only_) != std::string::npos;
  }

  void print(bool good, const std::string& name, const Model& model, const Result& result, const std::string& what) {
    (good ? passed_ : failed_)++;
    std::string scope = model.sequential ? "sequential consistency" : "release/acquire";
    if (model.crashes > 0) scope += ", " + std::to_string(model.crashes) + (model.crashes == 1 ? " death" : " deaths");
    if (model.preemptions >= 0) scope += ", at most " + std::to_string(model.preemptions) + " preemptions";
    const char* extent = !result.violation.empty() ? "stopped there"
                         : !result.exhausted       ? "NOT exhausted"
                         : model.preemptions >= 0  ? "exhausted within the bound"
                                                   : "exhausted";
    std::printf("%s %s (%s): %llu states, %llu steps, %llu ends, %s, %.1f s%s%s\n", good ? "ok  " : "FAIL", name.c_str(), scope.c_str(),
                static_cast<unsigned long long>(result.states), static_cast<unsigned long long>(result.steps),
                static_cast<unsigned long long>(result.ends), extent, result.seconds, what.empty() ? "" : "; ", what.c_str());
    if (verbose_) {
      std::printf("      %llu restarts; contended:", static_cast<unsigned long long>(result.restarts));
      for (const std::string& location : result.contended) std::printf(" %s", location.c_str());
      std::printf("\n");
    }
    std::fflush(stdout);
  }
  void explain(const std::string& name, const Result& result) {
    for (const std::string& line : result.trace) std::printf("%s\n", line.c_str());
    std::printf("      %s\n      --replay '%s' '%s'\n", result.violation.c_str(), name.c_str(), result.schedule.c_str());
    std::fflush(stdout);
  }

  bool list_ = false, verbose_ = false;
  std::string only_, replay_name_, replay_;
  int passed_ = 0, failed_ = 0;
};

}  // namespace scheduled
