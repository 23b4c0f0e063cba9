import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Governor, Run, RunRecord, UnderAllocatedError, Workflow, WorkflowOptions } from '../../../lib/index.js'
import { isCoded, isSettled, macrotask, rejection, thrown, virtual } from '../support.js'

const CAPACITY = 16_384

function learner(options: WorkflowOptions = {}): { gov: Governor; workflow: Workflow; records: RunRecord[] } {
  const gov = virtual()
  const pool = gov.pool('host', { capacity: { memory: CAPACITY } })
  const workflow = gov.workflow('w', { needs: 'learn', pool, metering: false, learning: { first: { memory: 1_000 } }, ...options })
  const records: RunRecord[] = []
  workflow.on('run', record => records.push(record))
  return { gov, workflow, records }
}

/** Runs that use this much. */
async function teach(workflow: Workflow, memory: number, times = 40): Promise<void> {
  for (let i = 0; i < times; i++) await workflow.run({ input: { bytes: memory } }, run => void run.uses({ memory }))
}

test('a run is granted what runs of its input are expected to use', async () => {
  const { gov, workflow } = learner()
  await workflow.run(run => assert.equal(run.granted, { memory: 1_000 }))
  for (let i = 0; i < 60; i++) {
    const memory = 100 * (1 + (i % 10))
    await workflow.run({ input: { bytes: 10 * memory } }, run => void run.uses({ memory }))
  }
  const size = (bytes: number) => workflow.run({ input: { bytes } }, run => run.granted.memory as number)
  const [small, large] = [await size(2_000), await size(9_000)]
  assert.ok(small >= 200 && small < 400, `${small}`)
  assert.ok(large >= 900 && large < 1_400, `${large}`)
  assert.is(workflow.size({ bytes: 2_000 })?.memory, small)
  await gov.close()
})

test('a run that throws exceeded() is done again with twice as much, and its records tell of both', async () => {
  const { gov, workflow, records } = learner()
  const granted: unknown[] = []
  const result = await workflow.run(run => {
    granted.push(run.granted.memory)
    if ((run.granted.memory as number) < 3_000) throw run.exceeded()
    run.uses({ memory: 2_500 })
    return 'done'
  })
  assert.is(result, 'done')
  assert.equal(granted, [1_000, 2_000, 4_000])
  await macrotask()
  assert.equal(
    records.map(({ outcome, sized }) => [outcome, sized?.granted.memory, sized?.tries]),
    [
      ['ignore', 1_000, 1],
      ['ignore', 2_000, 2],
      ['success', 4_000, 3]
    ]
  )
  assert.equal(records[2]?.sized?.used, { memory: 2_500 })
  assert.is(workflow.sizing()?.short, 2)
  assert.is(workflow.sizing()?.runs, 1)
  await gov.close()
})

test('it is granted at once as much as it says that it needs', async () => {
  const { gov, workflow } = learner()
  const granted = await workflow.run(run => {
    if ((run.granted.memory as number) < 9_000) throw run.exceeded({ memory: 9_000 })
    return run.granted.memory
  })
  assert.is(granted, 9_000)
  await gov.close()
})

test('a run that has all there is, or was tried often enough, is rejected with what it threw', async () => {
  const { gov, workflow } = learner()
  let tries = 0
  const whole: UnderAllocatedError = await rejection(
    workflow.run(run => {
      tries++
      throw run.exceeded({ memory: CAPACITY + 1 })
    })
  )
  isCoded(whole, 'ERR_FORELOCK_UNDER_ALLOCATED')
  assert.equal([tries, whole.resource, whole.workflow, whole.granted.memory], [2, 'host', 'w', CAPACITY])
  const once = gov.workflow('once', { needs: 'learn', pool: gov.pool('host'), metering: false, learning: { tries: 1 } })
  isCoded(
    await rejection(
      once.run(run => {
        throw run.exceeded()
      })
    ),
    'ERR_FORELOCK_UNDER_ALLOCATED'
  )
  assert.is(gov.pool('host').usage().used.memory, 0)
  await gov.close()
})

test('what another run needed too much of is no reason to do this one again', async () => {
  const { gov, workflow } = learner({ learning: { tries: 1 } })
  const other = gov.workflow('other', { needs: 'learn', pool: gov.pool('host'), metering: false })
  let tries = 0
  await rejection(
    other.run(async run => {
      tries++
      await workflow.run({ within: run }, inner => {
        throw inner.exceeded()
      })
    })
  )
  assert.is(tries, 1)
  await gov.close()
})

test('a run that uses more than it has is granted twice as much where there is room, and told where there is none', async () => {
  const { gov, workflow } = learner()
  await workflow.run(async run => {
    assert.ok(run.uses({ memory: 900 }))
    assert.ok(run.uses({ memory: 1_500 }))
    assert.is(run.granted.memory, 2_000)
    using _ = await gov.pool('host').allocate({ memory: CAPACITY - 2_000 })
    assert.not.ok(run.uses({ memory: 2_500 }))
    assert.is(run.granted.memory, 2_000)
  })
  await gov.close()
})

test('it waits for what it needs until that is there', async () => {
  const { gov, workflow } = learner()
  const blocking = await gov.pool('host').allocate({ memory: CAPACITY - 1_000 })
  const granted = workflow.run(async run => {
    await run.need({ memory: 5_000 })
    return run.granted.memory
  })
  assert.not.ok(await isSettled(granted))
  blocking.release()
  assert.is(await granted, 5_000)
  assert.is(gov.pool('host').usage().used.memory, 0)
  await gov.close()
})

test('a run gives back what it will not use, as others of its kind end, but not what it uses', async () => {
  const { gov, workflow } = learner()
  let end: () => void = () => undefined
  let first: Run | undefined
  const long = workflow.run(async run => {
    first = run
    run.uses({ memory: 300 })
    await new Promise<void>(resolve => {
      end = resolve
    })
  })
  await macrotask()
  assert.is(first?.granted.memory, 1_000)
  await teach(workflow, 100)
  first?.uses({ memory: 300 })
  const left = first?.granted.memory as number
  assert.ok(left >= 300 && left < 600, `${left}`)
  assert.is(gov.pool('host').usage().used.memory, left)
  end()
  await long
  await gov.close()
})

test('a run that waited is sized by what was learnt meanwhile', async () => {
  const { gov, workflow } = learner({ learning: { first: { memory: 10_000 } } })
  const ends: (() => void)[] = []
  const held: number[] = []
  const runs = [1, 2].map(() =>
    workflow.run(async run => {
      run.uses({ memory: 200 })
      held.push(run.granted.memory as number)
      await new Promise<void>(resolve => ends.push(resolve))
    })
  )
  await macrotask()
  assert.is(ends.length, 1, 'the second waits: there is not room for both')
  ends[0]?.()
  await runs[0]
  await macrotask()
  assert.ok((held[1] as number) <= 500, `${held[1]}`)
  ends[1]?.()
  await runs[1]
  await gov.close()
})

test('what is measured counts where the work says nothing', async () => {
  const gov = virtual()
  const pool = gov.pool('cores', { capacity: { cpu: 8_000, gpu: 4 } })
  const workflow = gov.workflow('w', { needs: 'learn', pool, learning: { first: { cpu: 4_000, gpu: 2 } } })
  const told = new Promise<RunRecord>(resolve => workflow.once('run', resolve))
  await workflow.run(run => void run.uses({ gpu: 1 }))
  const { sized, usage } = await told
  assert.is(sized?.used.gpu, 1)
  assert.is(sized?.used.cpu === undefined, usage.cpu === undefined)
  await gov.close()
})

test('only success is learnt from', async () => {
  const { gov, workflow } = learner()
  const failure = new Error('disk on fire')
  for (let i = 0; i < 10; i++) {
    const failed = workflow.run(run => {
      run.uses({ memory: 10 })
      throw failure
    })
    assert.is(await rejection(failed), failure)
  }
  assert.equal(workflow.size(), { memory: 1_000 })
  await gov.close()
})

test('what a tenant taught is forgotten with the tenant', async () => {
  const { gov, workflow } = learner()
  for (let i = 0; i < 20; i++) await workflow.run({ tenant: 'other' }, run => void run.uses({ memory: 50 }))
  for (let i = 0; i < 20; i++) await workflow.run({ tenant: 'acme' }, run => void run.uses({ memory: 5_000 }))
  assert.ok((workflow.size()?.memory as number) > 1_000)
  gov.forget({ tenant: 'acme' })
  assert.ok((workflow.size()?.memory as number) < 200, `${workflow.size()?.memory}`)
  await gov.close()
})

test('what does not learn has no such methods, and amounts are checked', async () => {
  const gov = virtual()
  const plain = gov.workflow('plain', { metering: false })
  await plain.run(run => {
    isCoded(
      thrown(() => run.granted),
      'ERR_FORELOCK_ARGUMENT'
    )
    isCoded(
      thrown(() => run.exceeded()),
      'ERR_FORELOCK_ARGUMENT'
    )
  })
  assert.is(plain.sizing(), undefined)
  const { workflow } = learner()
  await workflow.run(run => {
    for (const wrong of [undefined, 7, { cores: 1 }, { memory: -1 }, { memory: Number.NaN }, { memory: 'x' }] as never[]) {
      isCoded(
        thrown(() => run.uses(wrong)),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
  })
  await gov.close()
})

test.run()
