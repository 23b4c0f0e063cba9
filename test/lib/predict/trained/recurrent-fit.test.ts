import { createRequire } from 'node:module'
import type * as Tensorflow from '@tensorflow/tfjs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadAddon } from '../../../../lib/native/load.js'
import { fitRecurrent, loadTensorflow, netOf, tensorflowOf, weightsOf } from '../../../../lib/predict/trained/recurrent-fit.js'
import { isCoded, rejection } from '../../support.js'
import { seeded } from '../series.js'

const require = createRequire(import.meta.url)
const tensorflow = await loadTensorflow()
const FIT = { kind: 'recurrent', units: 7, window: 12, outputs: 5, epochs: 2, seed: 3, budget: 600_000 } as const
const random = seeded(8)
const values = Float64Array.from({ length: 120 }, (_, i) => Math.sin(i / 3) + 0.2 * random())

test('the forward pass of the addon is that of TensorFlow, within 1e-5, also after training', async () => {
  for (const cell of ['lstm', 'gru'] as const) {
    const fit = { ...FIT, cell, values }
    const net = netOf(tensorflow, fit)
    const trained = (await fitRecurrent(tensorflow, fit)) as Float32Array
    const untrained = weightsOf(net) as Float32Array
    assert.is.not(trained[0], untrained[0])
    for (const weights of [untrained, trained]) {
      let at = 0
      net.setWeights(
        net.getWeights().map(({ shape, size }) => {
          const part = tensorflow.tensor(weights.subarray(at, at + size), shape)
          at += size
          return part
        })
      )
      assert.is(at, weights.length)
      for (let start = 0; start < 50; start += 7) {
        const window = values.subarray(start, start + FIT.window)
        const theirs = (net.predict(tensorflow.tensor3d([...window], [1, FIT.window, 1])) as Tensorflow.Tensor).dataSync()
        const state = new Float64Array((cell === 'lstm' ? 2 : 1) * FIT.units)
        const ours = new Float64Array(FIT.outputs)
        const shape = Uint32Array.of(cell === 'lstm' ? 0 : 1, FIT.units, FIT.outputs)
        assert.ok(loadAddon().predict.recurrentRun(shape, weights, state, window, ours))
        ours.forEach((value, i) => {
          assert.ok(Math.abs(value - (theirs[i] as number)) < 1e-5, `${cell}: ${value}, ${theirs[i]}`)
        })
      }
    }
  }
})

test('a seed gives the same weights, and keeps no tensors', async () => {
  const fit = { ...FIT, cell: 'lstm', values } as const
  const first = await fitRecurrent(tensorflow, fit)
  const before = tensorflow.memory().numTensors
  assert.equal(await fitRecurrent(tensorflow, fit), first)
  assert.is(tensorflow.memory().numTensors, before)
})

test('too few values for a window give nothing', async () => {
  assert.is(await fitRecurrent(tensorflow, { ...FIT, cell: 'gru', values: values.subarray(0, 16) }), undefined)
})

test('its own library is taken where it works, and the portable one where it does not', async () => {
  const works = { tidy: (of: () => unknown) => of(), add: () => ({ dataSync: () => [3] }) }
  const resolve = require.resolve
  assert.is((await tensorflowOf(() => works, resolve)) as unknown, works)
  const broken = {
    tidy: () => {
      throw new TypeError('util.isNullOrUndefined is not a function')
    }
  }
  const other = await tensorflowOf(name => (name === '@tensorflow/tfjs-node' ? broken : require(name)), resolve)
  assert.is(other.getBackend(), 'wasm')
})

test('names the command that installs what is missing', async () => {
  const missing = () => {
    throw new Error('not found')
  }
  const error = await rejection(tensorflowOf(missing, missing))
  isCoded(error, 'ERR_FORELOCK_LOAD')
  assert.match((error as Error).message, 'npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm')
})

test.run()
