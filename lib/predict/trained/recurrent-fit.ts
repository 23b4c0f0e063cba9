import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type * as Tensorflow from '@tensorflow/tfjs'
import { optional } from '../../history/optional.js'
import { here } from '../../native/here.js'
import { randomsOf } from '../../randoms.js'
import type { RecurrentFit } from './fits.js'

type Require = (name: string) => unknown

const NATIVE = '@tensorflow/tfjs-node'
const PORTABLE = '@tensorflow/tfjs'
const WASM = '@tensorflow/tfjs-backend-wasm'
const NEEDS = 'a recurrent net'
/** Windows that an epoch goes through at most; of more, evenly chosen ones. */
const WINDOWS_MAX = 600
const BATCH = 32
const LEARNING_RATE = 0.005

const ownRequire = createRequire(join(here, 'here.js'))
let loading: Promise<typeof Tensorflow> | undefined

/**
 * TensorFlow as it is installed: with its own library, where that works, else in WebAssembly.
 *
 * @throws LoadError that names the command which installs it
 */
export function loadTensorflow(): Promise<typeof Tensorflow> {
  loading ??= tensorflowOf(ownRequire, ownRequire.resolve)
  return loading
}

export async function tensorflowOf(load: Require, resolve: (name: string) => string): Promise<typeof Tensorflow> {
  const native = nativeOf(load)
  if (native !== undefined) return native
  const both = `${PORTABLE} ${WASM}`
  return optional(
    both,
    async () => {
      const tensorflow = load(PORTABLE) as typeof Tensorflow
      const { setWasmPaths } = load(WASM) as { setWasmPaths(folder: string): void }
      setWasmPaths(`${dirname(resolve(WASM))}/`)
      await tensorflow.setBackend('wasm')
      await tensorflow.ready()
      return tensorflow
    },
    NEEDS
  )
}

/** Undefined: it is not there, or of a build that does not work with this Node (tensorflow/tfjs#8609). */
function nativeOf(load: Require): typeof Tensorflow | undefined {
  try {
    const tensorflow = load(NATIVE) as typeof Tensorflow
    const [sum] = tensorflow.tidy(() => tensorflow.add([1], [2]).dataSync())
    return sum === 3 ? tensorflow : undefined
  } catch {
    return undefined // the other one does the same, more slowly
  }
}

/**
 * Trains a recurrent net to foretell the next values from a window of them (direct strategy, by Adam, mean squared error), the batches in an order
 * that its seed gives. When its budget is over it is left as it is then.
 *
 * @returns undefined where there is no window to train on, or what was learnt is not finite
 */
export async function fitRecurrent(tensorflow: typeof Tensorflow, fit: RecurrentFit): Promise<Float32Array | undefined> {
  const ends = performance.now() + fit.budget
  const starts = windowsOf(fit)
  if (starts.length === 0) return undefined
  const model = netOf(tensorflow, fit)
  model.compile({ optimizer: tensorflow.train.adam(LEARNING_RATE), loss: 'meanSquaredError' })
  const random = randomsOf(fit.seed)
  try {
    for (let epoch = 0; epoch < fit.epochs; epoch++) {
      shuffle(starts, random)
      for (let from = 0; from < starts.length; from += BATCH) {
        if (performance.now() >= ends) return weightsOf(model)
        await trainOn(tensorflow, model, fit, starts.slice(from, from + BATCH))
      }
    }
    return weightsOf(model)
  } finally {
    model.optimizer.dispose()
    model.dispose()
  }
}

/** A recurrent layer whose gates are those of native/predict/recurrent.h, and a dense one. */
export function netOf(tensorflow: typeof Tensorflow, { cell, units, window, outputs, seed }: RecurrentFit): Tensorflow.Sequential {
  const { initializers, layers } = tensorflow
  const options = {
    units,
    inputShape: [window, 1],
    // The default is another function, an approximation of it.
    recurrentActivation: 'sigmoid' as const,
    kernelInitializer: initializers.glorotUniform({ seed }),
    recurrentInitializer: initializers.orthogonal({ seed: seed + 1 })
  }
  const net = tensorflow.sequential()
  net.add(cell === 'lstm' ? layers.lstm(options) : layers.gru(options))
  net.add(layers.dense({ units: outputs, kernelInitializer: initializers.glorotUniform({ seed: seed + 2 }) }))
  return net
}

/** All weights of a net in the order of native/predict/recurrent.h. Undefined: one is not finite. */
export function weightsOf(model: Tensorflow.LayersModel): Float32Array | undefined {
  const all = Float32Array.from(model.getWeights().flatMap(tensor => [...tensor.dataSync()]))
  return all.every(Number.isFinite) ? all : undefined
}

async function trainOn(
  tensorflow: typeof Tensorflow,
  model: Tensorflow.Sequential,
  fit: RecurrentFit,
  starts: readonly number[]
): Promise<void> {
  const { values, window, outputs } = fit
  const before = new Float32Array(starts.length * window)
  const after = new Float32Array(starts.length * outputs)
  for (const [row, start] of starts.entries()) {
    before.set(values.subarray(start, start + window), row * window)
    after.set(values.subarray(start + window, start + window + outputs), row * outputs)
  }
  const x = tensorflow.tensor3d(before, [starts.length, window, 1])
  const y = tensorflow.tensor2d(after, [starts.length, outputs])
  try {
    await model.trainOnBatch(x, y)
  } finally {
    x.dispose()
    y.dispose()
  }
}

function windowsOf({ values, window, outputs }: RecurrentFit): number[] {
  const count = Math.max(0, values.length - window - outputs + 1)
  const every = Math.max(1, Math.ceil(count / WINDOWS_MAX))
  // The last window is one of them.
  return Array.from({ length: Math.ceil(count / every) }, (_, i) => count - 1 - i * every)
}

/** Fisher and Yates. */
function shuffle(all: number[], random: () => number): void {
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const kept = all[i] as number
    all[i] = all[j] as number
    all[j] = kept
  }
}
