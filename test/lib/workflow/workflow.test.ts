import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Action, decodeNotes, open, type Run, type RunRecord } from '../../../lib/index.js'
import { decodeRunNote, RUN_NOTE } from '../../../lib/workflow/notes.js'
import { isCoded, isSettled, macrotask, rejection, thrown, virtual } from '../support.js'

const quiet = { metering: false } as const

async function recordOf(workflow: ReturnType<ReturnType<typeof open>['workflow']>, work: () => Promise<unknown>): Promise<RunRecord> {
  const told = new Promise<RunRecord>(resolve => workflow.once('run', resolve))
  await work().catch(() => undefined) // what it is rejected with is for the test that asks
  return told
}

test('a run returns what its callback returns, and is told of when it is over', async () => {
  const gov = virtual()
  const workflow = gov.workflow('encode', { ...quiet, tier: 'background', tenant: 'acme' })
  let result: unknown
  const record = await recordOf(workflow, async () => {
    result = await workflow.run({ client: 'web' }, async run => {
      gov.advance(30)
      await run.action('read', () => gov.advance(5))
      await run.action('write', async () => gov.advance(7))
      return run.workflow
    })
  })
  assert.is(result, 'encode')
  assert.equal([record.workflow, record.type, record.tier, record.tenant, record.client], ['encode', 'encode', 'background', 'acme', 'web'])
  assert.is(record.duration, 42)
  assert.is(record.outcome, 'success')
  assert.equal(
    record.actions.map(({ name, position, offset, duration, outcome }) => [name, position, offset, duration, outcome]),
    [
      ['read', 0, 30, 5, 'success'],
      ['write', 1, 35, 7, 'success']
    ]
  )
  await gov.close()
})

test('no two runs have one id', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', quiet)
  const ids = await Promise.all([1, 2, 3].map(() => workflow.run(run => run.id)))
  assert.is(new Set(ids).size, 3)
  await gov.close()
})

test('a run whose callback throws is rejected with that, and says nothing of the work', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', quiet)
  const failure = new Error('disk on fire')
  const record = await recordOf(workflow, async () => {
    assert.is(
      await rejection(
        workflow.run(run =>
          run.action('burn', () => {
            throw failure
          })
        )
      ),
      failure
    )
  })
  assert.is(record.outcome, 'ignore')
  assert.is(record.actions[0]?.outcome, 'ignore')
  assert.is(workflow.profile().samples, 0)
  await gov.close()
})

test('a run and an action say themselves how they ended', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', quiet)
  const record = await recordOf(workflow, () =>
    workflow.run(async run => {
      await run.action('late', action => action.drop())
      run.ignore()
    })
  )
  assert.equal([record.outcome, record.actions[0]?.outcome], ['ignore', 'drop'])
  await gov.close()
})

test('a run holds what it was admitted with while it runs, and no longer, however it ends', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const bucket = gov.bucket('b', { rate: 10, burst: 5 })
  const workflow = gov.workflow('w', { ...quiet, needs: { pool: [pool, { cpu: 3 }], tokens: [[bucket, 2]], locks: [gov.lock('l')] } })
  await workflow.run(() => {
    assert.is(pool.usage().used.cpu, 3)
    assert.is(gov.lock('l').tryAcquire(), null)
  })
  assert.is(pool.usage().used.cpu, 0)
  await rejection(workflow.run(() => Promise.reject(new Error('no'))))
  assert.is(pool.usage().used.cpu, 0)
  assert.is(bucket.peek().remaining, 1)
  assert.ok(gov.lock('l').tryAcquire())
  await gov.close()
})

test('what a run needs may depend on its input', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const workflow = gov.workflow('w', { ...quiet, needs: input => ({ pool: [pool, { cpu: (input as { cpu: number }).cpu }] }) })
  assert.is(await workflow.run({ input: { cpu: 2 } }, () => pool.usage().used.cpu), 2)
  isCoded(await rejection(workflow.run({ input: { cpu: 5 } }, () => undefined)), 'ERR_FORELOCK_EXCEEDS')
  await gov.close()
})

test('a run that waits for its admission says how long, and can be given up', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 1 } })
  const workflow = gov.workflow('w', { ...quiet, needs: { pool: [pool, { cpu: 1 }] } })
  const first = pool.tryAllocate({ cpu: 1 })
  const told = recordOf(workflow, () => workflow.run(() => undefined))
  const late = rejection(workflow.run({ waitTimeout: 10 }, () => assert.unreachable()))
  await macrotask()
  gov.advance(25)
  isCoded(await late, 'ERR_FORELOCK_TIMEOUT')
  first?.release()
  assert.is((await told).waited, 25)
  const controller = new AbortController()
  pool.tryAllocate({ cpu: 1 })
  const aborted = rejection(workflow.run({ signal: controller.signal }, () => assert.unreachable()))
  await macrotask()
  controller.abort('enough')
  assert.is(await aborted, 'enough')
  await gov.close()
})

test('what is asked for through a run, or within it, is made in its name and its tier, and booked to it', async () => {
  const gov = virtual({ reportLeaks: false })
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const bucket = gov.bucket('b', { rate: 10, burst: 5 })
  const workflow = gov.workflow('w', { ...quiet, tier: 'interactive' })
  const record = await recordOf(workflow, () =>
    workflow.run(async run => {
      const grant = await run.lock('a')
      assert.is(grant.tier, 'interactive')
      const other = await gov.lock('b').acquire({ within: run, tier: 'background' })
      assert.is(other.tier, 'background')
      assert.is(run.tryLock('a'), null)
      assert.is((await run.take(bucket, 2)).ok, true)
      assert.is(bucket.tryTake(1, { within: run }).ok, true)
      assert.is((await run.allocate(pool, { cpu: 1 })).tier, 'interactive')
      assert.ok(pool.tryAllocate({ cpu: 1 }, { within: run }))
      assert.is(run.tryAllocate(pool, { cpu: 3 }), null)
    })
  )
  assert.equal(record.booked, { requests: 8, refused: 2, waited: record.booked.waited, tokens: 3 })
  await gov.close()
})

test('what a run or an action still holds at its end is released then', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const workflow = gov.workflow('w', quiet)
  await workflow.run(async run => {
    await run.lock('of the run')
    await run.action('step', async action => {
      await action.lock('of the action')
      await action.allocate(pool, { cpu: 1 })
    })
    assert.ok(gov.lock('of the action').tryAcquire())
    assert.is(pool.usage().used.cpu, 0)
    assert.is(gov.lock('of the run').tryAcquire(), null)
  })
  assert.ok(gov.lock('of the run').tryAcquire())
  await gov.close()
})

test('a run or an action that is over holds, takes and does nothing more', async () => {
  const gov = virtual()
  const [pool, bucket] = [gov.pool('p', { capacity: { cpu: 1 } }), gov.bucket('b', { rate: 1, burst: 1 })]
  const workflow = gov.workflow('w', quiet)
  let [run, action] = [undefined, undefined] as [Run | undefined, Action | undefined]
  await workflow.run(async one => {
    run = one
    await one.action('a', part => {
      action = part
    })
    isCoded(await rejection((action as Action).lock('late')), 'ERR_FORELOCK_CLOSED')
    assert.ok(one.tryLock('early'), 'the run goes on')
  })
  for (const work of [run as Run, action as Action]) {
    for (const late of [work.lock('late'), work.take(bucket), work.allocate(pool, { cpu: 1 }), work.child({} as never)]) {
      isCoded(await rejection(late), 'ERR_FORELOCK_CLOSED')
    }
    for (const late of [() => work.tryLock('late'), () => work.tryTake(bucket), () => work.tryAllocate(pool, { cpu: 1 })]) {
      isCoded(thrown(late), 'ERR_FORELOCK_CLOSED')
    }
  }
  isCoded(await rejection((run as Run).action('late', () => assert.unreachable())), 'ERR_FORELOCK_CLOSED')
  assert.ok(gov.lock('late').tryAcquire())
  assert.equal([bucket.tryTake(1).ok, pool.usage().used.cpu], [true, 0])
  await gov.close()
})

test('the locks of a run enclose what is asked for within it: a cycle through them is a deadlock, not a wait for ever', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', quiet)
  const both = await Promise.all(
    ['a', 'b'].map(mine =>
      workflow
        .run(async run => {
          await run.lock(mine)
          await macrotask()
          await run.lock(mine === 'a' ? 'b' : 'a')
          return 'granted'
        })
        .catch((error: { code: string }) => error.code)
    )
  )
  assert.equal([...both].sort(), ['ERR_FORELOCK_DEADLOCK', 'granted'])
  await gov.close()
})

test('a nested run is the work of whom the outer one is, unless it or its workflow says otherwise', async () => {
  const gov = virtual()
  const outer = gov.workflow('outer', { ...quiet, client: 'web' })
  const plain = gov.workflow('plain', quiet)
  const owned = gov.workflow('owned', { ...quiet, tenant: 'globex' })
  const whose: unknown[] = []
  const note = ({ tenant, client }: RunRecord) => void whose.push([tenant, client])
  plain.on('run', note)
  owned.on('run', note)
  await outer.run({ tenant: 'acme' }, async run => {
    await plain.run({ within: run }, inner => plain.run({ within: inner }, () => {}))
    await run.action('a', action => plain.run({ within: action, tenant: 'initech' }, () => {}))
    await owned.run({ within: run }, () => {})
    await plain.run(() => {})
  })
  await macrotask()
  assert.equal(whose, [
    ['acme', 'web'],
    ['acme', 'web'],
    ['initech', 'web'],
    ['globex', 'web'],
    [undefined, undefined]
  ])
  await gov.close()
})

test('what is booked to an action and to a nested run is booked to the run around too', async () => {
  const gov = virtual()
  const bucket = gov.bucket('b', { rate: 10, burst: 9 })
  const inner = gov.workflow('inner', quiet)
  const outer = gov.workflow('outer', quiet)
  let nested: RunRecord | undefined
  inner.on('run', record => {
    nested = record
  })
  const record = await recordOf(outer, () =>
    outer.run(async run => {
      await run.action('step', action => void action.tryTake(bucket, 2))
      await inner.run({ within: run }, other => void other.tryTake(bucket, 3))
    })
  )
  assert.equal([record.booked.tokens, record.actions[0]?.booked.tokens, nested?.booked.tokens], [5, 2, 3])
  assert.is(nested?.parent, record.id)
  await gov.close()
})

test('where the governor encloses, what is asked for in the callback is booked without a word', async () => {
  const gov = open({ fresh: true, clock: 'virtual', autoEnclose: true })
  const bucket = gov.bucket('b', { rate: 10, burst: 9 })
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const workflow = gov.workflow('w', quiet)
  const record = await recordOf(workflow, () =>
    workflow.run(async () => {
      await macrotask()
      bucket.tryTake(2)
      await gov.lock('l').acquire()
      pool.tryAllocate({ cpu: 1 })
      await pool.allocate({ cpu: 1 })
    })
  )
  assert.equal([record.booked.requests, record.booked.tokens], [4, 2])
  assert.is(pool.usage().used.cpu, 0)
  bucket.tryTake(1)
  await gov.close()
})

test('of the input only the fields that are kept are recorded, and of them what is plain', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', { ...quiet, keep: ['bytes', 'format', 'deep', 'missing', 'text'] })
  const input = { bytes: 4e6, format: 'heic', user: 'ada', deep: { a: 1 }, text: 'x'.repeat(1000) }
  const record = await recordOf(workflow, () => workflow.run({ input }, () => undefined))
  assert.equal(record.input, { bytes: 4e6, format: 'heic', text: 'x'.repeat(256) })
  await gov.close()
})

test('an action that needs a certification runs only where a pool of the run has it', async () => {
  const gov = virtual()
  const plain = gov.pool('plain', { capacity: { cpu: 4 } })
  const sealed = gov.pool('sealed', { capacity: { cpu: 4 }, labels: ['pci'] })
  const pay = (run: Run) => run.action('pay', { certifications: ['pci'] }, () => 'paid')
  assert.is(await gov.workflow('a', { ...quiet, needs: { pool: [sealed, { cpu: 1 }] } }).run(pay), 'paid')
  isCoded(await rejection(gov.workflow('b', { ...quiet, needs: { pool: [plain, { cpu: 1 }] } }).run(pay)), 'ERR_FORELOCK_EXCEEDS')
  isCoded(await rejection(gov.workflow('c', quiet).run(pay)), 'ERR_FORELOCK_ARGUMENT')
  await gov.close()
})

test('those who observe are told of each run, whole', async () => {
  const gov = virtual({ capacity: { telemetry: 1024 } })
  const workflow = gov.workflow('w', { ...quiet, keep: ['bytes'] })
  gov.telemetry.attach()
  const record = await recordOf(workflow, () =>
    workflow.run({ input: { bytes: 7 }, events: ['e1'] }, async run => {
      await run.action('read', action => action.transferred(7))
    })
  )
  const room = new Uint8Array(16_384)
  const notes = [...decodeNotes(room, gov.telemetry.drainNotes(room))]
  assert.is(notes.length, 1)
  const kind = gov.telemetry.names(notes.map(note => note.kind)).get(notes[0]?.kind ?? 0) ?? ''
  assert.equal(decodeRunNote(kind, notes[0]?.bytes ?? room), JSON.parse(JSON.stringify(record)))
  await gov.close()
})

test('a run that was sampled for long is told in one note with its curve', async () => {
  const gov = virtual({ capacity: { telemetry: 1024 } })
  const workflow = gov.workflow('w', { metering: { scope: 'process', level: 'all', every: 1 } })
  gov.telemetry.attach()
  const record = await recordOf(workflow, () =>
    workflow.run(() => {
      for (let i = 0; i < 63; i++) gov.advance(1)
    })
  )
  const room = new Uint8Array(16_384)
  const notes = [...decodeNotes(room, gov.telemetry.drainNotes(room))]
  assert.is(notes.length, 1)
  assert.ok((record.curve?.times.length as number) > 30)
  assert.equal(decodeRunNote(RUN_NOTE, notes[0]?.bytes ?? room), JSON.parse(JSON.stringify(record)))
  await gov.close()
})

test('where a run has no room for its input and its curve in one note, it is told with its input', async () => {
  const gov = virtual({ capacity: { telemetry: 1024 } })
  const workflow = gov.workflow('w', {
    metering: { scope: 'process', level: 'all', every: 1 },
    keep: Array.from({ length: 11 }, (_, i) => `field ${i}`)
  })
  gov.telemetry.attach()
  const input = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`field ${i}`, 'x'.repeat(256)]))
  await workflow.run({ input }, () => {
    for (let i = 0; i < 63; i++) gov.advance(1)
  })
  const room = new Uint8Array(16_384)
  const [note] = [...decodeNotes(room, gov.telemetry.drainNotes(room))]
  const told = decodeRunNote(RUN_NOTE, note?.bytes ?? room) as RunRecord
  assert.equal([told.input, told.curve], [input, undefined])
  await gov.close()
})

test('a run of many actions is told in several notes, and nothing of it is lost', async () => {
  const gov = virtual({ capacity: { telemetry: 4096 } })
  const workflow = gov.workflow('w', quiet)
  gov.telemetry.attach()
  await workflow.run(async run => {
    for (let i = 0; i < 100; i++) await run.action(`step ${i}`, () => undefined)
  })
  const room = new Uint8Array(1 << 20)
  const notes = [...decodeNotes(room, gov.telemetry.drainNotes(room))]
  const kinds = gov.telemetry.names(notes.map(note => note.kind))
  const told = notes.map(note => decodeRunNote(kinds.get(note.kind) ?? '', note.bytes))
  assert.ok(told.length > 1)
  assert.equal(
    told.flatMap(one => one?.actions.map(({ name }) => name) ?? []),
    Array.from({ length: 100 }, (_, i) => `step ${i}`)
  )
  await gov.close()
})

test('a callback that closes the governor ends its run all the same', async () => {
  const gov = virtual()
  const workflow = gov.workflow('w', quiet)
  assert.is(
    await workflow.run(async run => {
      await run.lock('l')
      await gov.close()
      return 'done'
    }),
    'done'
  )
  isCoded(await rejection(workflow.run(() => undefined)), 'ERR_FORELOCK_CLOSED')
})

test('a callback that closes the governor ends its metered run too, with the time that it took', async () => {
  const gov = open({ fresh: true })
  const workflow = gov.workflow('w')
  const record = await recordOf(workflow, () =>
    workflow.run(async run => {
      await run.action('close', () => gov.close())
      assert.is(await run.action('after', () => 'done'), 'done')
    })
  )
  assert.equal([record.outcome, record.usage, record.actions.length], ['success', {}, 2])
  assert.ok(record.duration >= 0 && record.duration < 60_000, `${record.duration}`)
})

test('a run that waits for its admission is not counted as one that failed when the governor closes', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 1 } })
  pool.tryAllocate({ cpu: 1 })
  const waits = rejection(gov.workflow('w', { ...quiet, needs: { pool: [pool, { cpu: 1 }] } }).run(() => assert.unreachable()))
  assert.is(await isSettled(waits), false)
  await gov.close()
  isCoded(await waits, 'ERR_FORELOCK_CLOSED')
})

test('a shadow of a run says whether it would be admitted, and takes nothing', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const workflow = gov.workflow('w', {
    ...quiet,
    needs: input => ({ pool: [pool, { cpu: (input as { cpu: number }).cpu }] }),
    profile: { duration: 50 }
  })
  assert.is(workflow.shadow({ input: { cpu: 4 } }).verdict, 'grant')
  assert.is(pool.usage().used.cpu, 0)
  pool.tryAllocate({ cpu: 2 })
  const view = workflow.shadow({ input: { cpu: 3 }, tier: 'interactive' })
  assert.equal([view.verdict, view.contention], ['wait', 1])
  assert.is(workflow.shadow({ input: { cpu: 5 } }).verdict, 'refuse')
  assert.is(gov.workflow('free', quiet).shadow().verdict, 'grant')
  for (const options of [{ tier: 'none' }, { in: -1 }, { shape: 1 }, 1] as never[]) {
    isCoded(
      thrown(() => gov.workflow('free', quiet).shadow(options)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  await gov.close()
})

test('what is wrong with the options of a workflow, a run or an action is said before anything happens', async () => {
  const gov = virtual()
  const bad: [string, unknown][] = [
    ['tier', 'no such tier'],
    ['type', ''],
    ['keep', 'bytes'],
    ['keep', [1]],
    ['needs', 1],
    ['metering', true],
    ['metering', { level: 'most' }],
    ['prices', { cpu: -1 }],
    ['profile', { duration: -1 }],
    ['profile', { requirements: { dreams: 1 } }],
    ['profile', { duration: { least: 3, most: 2 } }],
    ['profile', { certifications: 'pci' }],
    ['colour', 'red']
  ]
  for (const [option, value] of bad) {
    isCoded(
      thrown(() => gov.workflow('w', { [option]: value } as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const name of ['', 'x'.repeat(257), 1, undefined] as never[]) {
    isCoded(
      thrown(() => gov.workflow(name)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  const workflow = gov.workflow('w', quiet)
  for (const options of [
    { tier: 'none' },
    { events: 'e' },
    { within: {} },
    { waitTimeout: -1 },
    { signal: {} },
    { shape: 1 },
    1
  ] as never[]) {
    isCoded(await rejection(workflow.run(options, () => assert.unreachable())), 'ERR_FORELOCK_ARGUMENT')
  }
  isCoded(await rejection(workflow.run(undefined as never)), 'ERR_FORELOCK_ARGUMENT')
  await workflow.run(async run => {
    isCoded(await rejection(run.action('', () => undefined)), 'ERR_FORELOCK_ARGUMENT')
    isCoded(await rejection(run.action('a', 1 as never)), 'ERR_FORELOCK_ARGUMENT')
    isCoded(await rejection(run.action('a', { needs: 1 } as never, () => undefined)), 'ERR_FORELOCK_ARGUMENT')
    isCoded(await rejection(run.action('a', action => action.transferred(-1))), 'ERR_FORELOCK_ARGUMENT')
    isCoded(await rejection(run.lock(1 as never)), 'ERR_FORELOCK_ARGUMENT')
  })
  await gov.close()
})

test.run()
