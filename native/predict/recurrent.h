// Recurrent nets of one layer on one value a step, with a dense layer behind, that were trained elsewhere: long short-term memory
// (Hochreiter and Schmidhuber, Neural Computation 9(8), 1997) and gated recurrent units (Cho et al., EMNLP 2014; the reset before the
// product). Their state goes on from step to step, so that the next value costs one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace forelock::predict {

struct RecurrentShape {
  enum Cell : std::uint32_t { kLstm, kGru };

  Cell cell = kLstm;
  std::uint32_t units = 1;    // >= 1
  std::uint32_t outputs = 1;  // of the dense layer

  // How many blocks of units a gated step computes: input, forget, cell, output; or update, reset, candidate.
  std::size_t gates() const { return cell == kLstm ? 4 : 3; }
  // Kernel, recurrent kernel, bias, dense kernel, dense bias; the matrices row by row, a row for each that goes in.
  std::size_t weights() const { return (2 + units) * gates() * units + (units + std::size_t{1}) * outputs; }
  // What goes out, and the cells of a memory.
  std::size_t state() const { return (cell == kLstm ? std::size_t{2} : std::size_t{1}) * units; }
};

// Goes on by some values, and then says what the dense layer makes of it. Weights and state have the sizes above, `out` that of the outputs
// or none. False, and neither state nor out has changed: the result is not finite.
bool recurrent_run(const RecurrentShape& shape, std::span<const float> weights, std::span<double> state, std::span<const double> inputs,
                   std::span<double> out);

}  // namespace forelock::predict
