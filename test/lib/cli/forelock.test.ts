import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, openDuckDbStore, unlink } from '../../../lib/index.js'

const script = fileURLToPath(new URL('../../../lib/cli/forelock.ts', import.meta.url))
const arena = `test-cli-${process.pid}`

async function forelock(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

test.after(() => {
  unlink(arena, { force: true })
})

test('inspect shows holders and waiters with pid, tier and age, and does not join', async () => {
  const gov = open({ name: arena })
  const lock = gov.lock('invoice:42')
  const grant = lock.tryAcquire({ tier: 'interactive' })!
  const waiting = lock.acquire({ tier: 'background', mode: 'shared' })
  const { code, out } = await forelock('inspect', arena)
  assert.is(code, 0)
  assert.match(out, '1 participant')
  assert.match(out, 'lock "invoice:42"')
  assert.match(out, new RegExp(`held +exclusive +interactive .*pid ${process.pid} .*token ${grant.token}`))
  assert.match(out, new RegExp(`queued +shared +background .*pid ${process.pid}`))
  grant.release()
  ;(await waiting).release()
  await gov.close()
})

test('inspect --json is for machines, tokens as decimal strings', async () => {
  const gov = open({ name: arena })
  const grant = gov.lock('a').tryAcquire()!
  const { code, out } = await forelock('inspect', arena, '--json')
  assert.is(code, 0)
  const { options, participants, locks, counters } = JSON.parse(out)
  assert.equal(options.tiers, gov.tiers)
  assert.is(participants[0].pid, process.pid)
  assert.is(locks[0].name, 'a')
  assert.is(locks[0].holders[0].token, String(grant.token))
  assert.type(counters.sweeps, 'number')
  grant.release()
  await gov.close()
})

test('an arena that is not there is an error with its code', async () => {
  const { code, err } = await forelock('inspect', 'no-such-arena')
  assert.is(code, 1)
  assert.match(err, 'ERR_FORELOCK_NOT_FOUND')
})

test('unlink removes an arena, refuses while it is in use, unless forced', async () => {
  const gov = open({ name: arena })
  const refused = await forelock('unlink', arena)
  assert.is(refused.code, 1)
  assert.match(refused.err, 'ERR_FORELOCK_IN_USE')
  const forced = await forelock('unlink', arena, '--force')
  assert.is(forced.code, 0)
  await gov.close()
  assert.is((await forelock('unlink', arena)).code, 1)
})

test('record names --force where its file is there already, and writes over it with that', async () => {
  const gov = open({ name: arena })
  const folder = mkdtempSync(join(tmpdir(), 'forelock-cli-'))
  try {
    const args = ['record', arena, '--out', join(folder, 'day.jsonl'), '--seconds', '0.01']
    assert.is((await forelock(...args)).code, 0)
    const refused = await forelock(...args)
    assert.is(refused.code, 1)
    assert.match(refused.err, /^forelock: --out must be .* --force .*\[ERR_FORELOCK_ARGUMENT\]/)
    assert.is((await forelock(...args, '--force')).code, 0)
  } finally {
    rmSync(folder, { recursive: true })
    await gov.close()
    await forelock('unlink', arena)
  }
})

test('--dir names the folder of the arena', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'forelock-cli-'))
  const gov = open({ name: arena, dir })
  assert.is((await forelock('inspect', arena, '--dir', dir)).code, 0)
  await gov.close()
  assert.is((await forelock('unlink', arena, '--dir', dir)).code, 0)
  rmSync(dir, { recursive: true })
})

test('--version says which one it is', async () => {
  const { version } = createRequire(import.meta.url)('../../../package.json')
  for (const args of [['--version'], ['-v']]) assert.equal(await forelock(...args), { code: 0, out: `${version}\n`, err: '' })
})

test('bad usage says what was wrong, then how to use it, and exits with 64; --help is no error', async () => {
  const cases: [string[], string][] = [
    [[], 'forelock inspect NAME'],
    [['inspect'], 'forelock: inspect takes NAME\n'],
    [['unlink'], 'forelock: unlink takes NAME\n'],
    [['dance', 'x'], 'forelock: there is no "dance"; known are inspect, unlink, agent, history, backtest, record, replay\n'],
    [['inspect', 'a', 'b'], 'forelock: inspect takes NAME\n'],
    [['inspect', 'a', '--what'], "forelock: Unknown option '--what'"],
    [['record', 'orders'], 'forelock: record takes NAME and --out FILE\n']
  ]
  for (const [args, reason] of cases) {
    const { code, err } = await forelock(...args)
    assert.is(code, 64, args.join(' '))
    assert.ok(err.startsWith(reason), err)
    assert.match(err, 'forelock inspect NAME')
  }
  const help = await forelock('--help')
  assert.is(help.code, 0)
  assert.match(help.out, 'forelock unlink NAME')
  assert.is((await forelock('inspect', '../etc')).code, 1)
})

test('who stops to read what it prints does not make it fail', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', script, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let err = ''
  child.stderr.on('data', chunk => {
    err += chunk
  })
  assert.equal([await once(child, 'close'), err], [[0, null], ''])
})

test('history answers from a file as JSON, as the role may, and writes down who asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-cli-'))
  const file = join(folder, 'history.duckdb')
  try {
    const store = await openDuckDbStore(file)
    const end = Date.now()
    store.append('runs', [{ id: '1', workflow: 'encode', start: end - 40, end, outcome: 'success', wall: 40 }])
    await store.close()
    const usage = await forelock('history', file, 'usage encode')
    assert.equal([usage.code, JSON.parse(usage.out).wall.count], [0, 1])
    const refused = await forelock('history', file, 'SELECT * FROM runs')
    assert.is(refused.code, 1)
    assert.match(refused.err, 'ERR_FORELOCK_ACCESS')
    assert.match(refused.err, '--as admin')
    const misspelt = await forelock('history', file, 'peak')
    assert.is(misspelt.code, 1)
    assert.match(misspelt.err, /^forelock: QUERY must be peaks, .*, or SQL, not "peak" \[ERR_FORELOCK_ARGUMENT\]/)
    const audit = await forelock('history', file, 'SELECT role, action FROM audit ORDER BY time', '--as', 'admin')
    assert.equal(JSON.parse(audit.out), [
      { role: 'viewer', action: 'summaries' },
      { role: 'viewer', action: 'refused sql' }
    ])
    const inWords = await forelock('history', file, 'usage', 'encode')
    assert.equal([inWords.code, JSON.parse(inWords.out).wall.count], [0, 1])
    for (const question of ['predictions', 'curves']) {
      const answer = await forelock('history', file, question, 'encode', '--as', 'operator')
      assert.equal([answer.code, JSON.parse(answer.out)], [0, []])
    }
    const wrong = await forelock('history', file, 'SELECT nothing FROM nowhere', '--as', 'admin')
    assert.is(wrong.code, 1)
    assert.match(wrong.err, /^forelock: .*nowhere/)
    const missing = await forelock('history', join(folder, 'none.duckdb'), 'peaks')
    assert.is(missing.code, 1)
    assert.match(missing.err, 'ERR_FORELOCK_NOT_FOUND')
    assert.is((await forelock('history', file)).code, 64)
    assert.is((await forelock('history', file, 'peaks', '--as', 'nobody')).code, 1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
