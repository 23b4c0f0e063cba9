// npm run bench -- [--json FILE] [ID | --only ID]... [--quick] [--rivals]: see docs/benchmarks.md.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { facts, physicalCores } from './harness/facts.js'
import { entriesOf, measure, type Options } from './harness/measure.js'
import { buildFloors, buildOwn, compileBench, installRivals } from './harness/prepare.js'
import { RedisServer } from './harness/redis.js'
import { describe, type Result, resultsOf } from './harness/report.js'
import { RIVALS, type RivalName } from './rivals.js'
import { type Row, type Trial, trials } from './trials.js'

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    rivals: { type: 'boolean', default: false }
  }
})

/** The trials that give the rows asked for, by id or its beginning, and those that they are compared with. */
function chosen(only: string[] | undefined): Trial[] {
  const all = trials(physicalCores())
  if (only === undefined) return all
  const ids = all.flatMap(({ rows }) => rows.map(({ id }) => id))
  const wanted = new Set(only.flatMap(id => (ids.includes(id) ? [id] : ids.filter(other => other.startsWith(id)))))
  const unknown = only.filter(id => !ids.some(other => other.startsWith(id)))
  if (unknown.length > 0) throw new Error(`no trial is called ${unknown.join(', ')}; there are ${ids.join(' ')}`)
  for (const { rows } of all.filter(asked(wanted))) for (const id of comparedWith(rows)) wanted.add(id)
  return all.filter(asked(wanted))
}

const asked = (ids: Set<string>) => (trial: Trial) => trial.rows.some(({ id }) => ids.has(id))

const comparedWith = (rows: Row[]): string[] =>
  rows.flatMap(({ must = [], beyond = [] }) => [...must, ...beyond]).flatMap(limit => ('row' in limit ? [limit.row] : []))

const needsRedis = (selection: Trial[]) =>
  selection.some(({ rivals = {} }) => Object.keys(rivals).some(name => 'needsRedis' in RIVALS[name as RivalName]))

async function startRedis(): Promise<RedisServer | string> {
  try {
    return await RedisServer.start()
  } catch (error) {
    return (error as Error).message
  }
}

async function prepare(): Promise<string[]> {
  await compileBench()
  await buildFloors()
  if (!args.rivals) await buildOwn()
  try {
    await installRivals()
  } catch (error) {
    // Offline, say: they are reported as missing, and the rest is still worth measuring.
    return [`the rivals could not be installed: ${(error as Error).message}`]
  }
  return []
}

async function run(selection: Trial[], redis: RedisServer | string): Promise<{ results: Result[]; errors: string[] }> {
  const options: Options = {
    quick: args.quick,
    rivalsOnly: args.rivals,
    redis: typeof redis === 'string' ? { missing: redis } : { port: redis.port, version: redis.version }
  }
  const about = facts(args.quick)
  console.log(`node ${about.node}, ${about.cpu}, kernel ${about.kernel}, commit ${about.commit ?? 'none'}\n`)
  const results: Result[] = []
  const errors: string[] = []
  const known = new Map<string, number>()
  for (const trial of selection) {
    const entries = await entriesOf(trial, options)
    await measure(entries, options)
    errors.push(...entries.flatMap(({ name, error }) => (error === undefined ? [] : [`${trial.rows[0]?.id}: ${name} ${error}`])))
    const found = resultsOf(trial, entries, about, known)
    results.push(...found)
    console.log(`${trial.title}\n${found.map(describe).join('\n')}\n`)
  }
  return { results, errors }
}

function summarise(results: Result[], errors: string[], notices: string[]): void {
  const judged = results.filter(({ meta }) => meta.met !== null)
  const missed = judged.filter(({ meta }) => !meta.met).map(({ id }) => id)
  console.log(
    `${judged.length - missed.length} of ${judged.length} limits met${missed.length > 0 ? `; not met: ${missed.join(', ')}` : ''}`
  )
  for (const notice of notices) console.error(notice)
  for (const error of errors) console.error(`error in ${error}`)
}

const only = [...(args.only ?? []), ...positionals]
const selection = chosen(only.length === 0 ? undefined : only)
const notices = await prepare()
const redis = needsRedis(selection) ? await startRedis() : 'no trial asked for it'
try {
  const { results, errors } = await run(selection, redis)
  summarise(results, errors, notices)
  if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify(results, null, 2)}\n`)
  // Not for limits that are not met: that is for the reader to judge. For what could not be measured at all.
  if (errors.length > 0) process.exitCode = 1
} finally {
  if (typeof redis !== 'string') await redis.stop()
}
