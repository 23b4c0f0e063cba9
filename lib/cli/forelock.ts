#!/usr/bin/env node
import { createRequire } from 'node:module'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { entry } from '../checks.js'
import { isForelockError } from '../errors/index.js'
import { unlink } from '../open.js'
import { arenaName } from '../open-options.js'
import { runAgent } from './agent.js'
import { BACKTEST_OPTIONS, backtest } from './backtest.js'
import { askHistory } from './history.js'
import { inspectArena, toJson, toText } from './inspect.js'
import { RECORD_OPTIONS, recordTrace } from './record.js'
import { REPLAY_OPTIONS, replayTrace } from './replay.js'

const USAGE = `forelock inspect NAME [--dir DIR] [--json]   holders and waiters of a named arena, with age, pid and tier
forelock unlink NAME [--dir DIR] [--force]   removes a named arena; --force also while it is in use
forelock agent NAME [--dir DIR]   plans ahead for a named arena, in a process of its own, until it is ended
forelock history WHERE QUERY [--as ROLE]     asks a history, a file or postgres://…: peaks, frequent, bottlenecks, quantiles, usage WORKFLOW [ACTION],
                                             predictions or curves [WORKFLOW] (--as operator), or SQL (--as admin); JSON comes out
forelock backtest --suite NAME | --all [--data DIR] [--json FILE] [--html FILE]   judges the forecasters on public data: 1 where a bar is missed
forelock record NAME --out FILE [--seconds N] [--dir DIR] [--force]   writes what a named arena is asked for, as a trace, until it is interrupted;
                                             --force also over a file that is there
forelock replay TRACE [--policy LIST] [--utilisation LIST] [--json FILE] [--html FILE]   plays a recorded trace through the core in virtual time
                [--static LIST] [--seed N] [--period MS] [--format NAME] [--map COLUMNS | --infer] [--interactive LIST] [--tiers LIST] [--data DIR]
                [--what-if LIST]
forelock --version   the version of forelock`

// As of sysexits(3): 64 is a usage error. 1 is a refusal that the message explains.
const EXIT_USAGE = 64

/** What each verb is given, as the usage calls it. */
const GIVEN: Readonly<Record<string, string>> = {
  inspect: 'NAME',
  unlink: 'NAME',
  agent: 'NAME',
  history: 'WHERE and QUERY',
  backtest: 'options alone',
  record: 'NAME and --out FILE',
  replay: 'TRACE'
}

const OPTIONS = {
  dir: { type: 'string' },
  json: { type: 'boolean' },
  force: { type: 'boolean' },
  as: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' }
} as const

// Who reads no further (`| head`) wants no more of it; what is being written into files, or planned, goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}
process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  try {
    // Their --json names a file.
    if (args[0] === 'backtest') return await judge(args.slice(1))
    if (args[0] === 'replay') return await play(args.slice(1))
    if (args[0] === 'record') return await record(args.slice(1))
    const given = parse(args, OPTIONS)
    if (given === undefined) return usage(process.stderr, EXIT_USAGE)
    const { positionals, values } = given
    const [verb, name, ...query] = positionals
    if (values.help === true) return usage(process.stdout, 0)
    if (values.version === true) return version()
    if (verb === 'history' && name !== undefined && query.length > 0) return await history(name, query, values)
    if (name === undefined || query.length > 0) return misused(verb)
    if (verb === 'inspect') return inspect(name, values)
    if (verb === 'unlink') return remove(name, values)
    if (verb === 'agent') return await agent(name, values)
    return misused(verb)
  } catch (error) {
    if (!isForelockError(error)) throw error
    const hint = error.code === 'ERR_FORELOCK_ACCESS' ? '; --as operator or --as admin may' : ''
    process.stderr.write(`forelock: ${error.message}${hint} [${error.code}]\n`)
    return 1
  }
}

/** Says what was wrong before it says how to use it, which is long. */
function misused(verb: string | undefined): number {
  const given = verb === undefined ? undefined : entry(GIVEN, verb)
  if (given !== undefined) process.stderr.write(`forelock: ${verb} takes ${given}\n`)
  else if (verb !== undefined)
    process.stderr.write(`forelock: there is no ${JSON.stringify(verb)}; known are ${Object.keys(GIVEN).join(', ')}\n`)
  return usage(process.stderr, EXIT_USAGE)
}

function version(): number {
  const { version } = createRequire(import.meta.url)('forelock/package.json') as { version: string }
  process.stdout.write(`${version}\n`)
  return 0
}

function parse<O extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    process.stderr.write(`forelock: ${(error as Error).message}\n`)
    return undefined
  }
}

async function judge(args: string[]): Promise<number> {
  const given = parse(args, BACKTEST_OPTIONS)
  if (given === undefined) return usage(process.stderr, EXIT_USAGE)
  if (given.values.help === true) return usage(process.stdout, 0)
  if (given.positionals.length > 0) return misused('backtest')
  return (await backtest(given.values, text => process.stdout.write(text), progress)) ? 0 : 1
}

async function record(args: string[]): Promise<number> {
  const given = parse(args, RECORD_OPTIONS)
  if (given === undefined) return usage(process.stderr, EXIT_USAGE)
  if (given.values.help === true) return usage(process.stdout, 0)
  const [name, ...rest] = given.positionals
  const { out, ...values } = given.values
  if (name === undefined || out === undefined || rest.length > 0) return misused('record')
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const { requests, refused, lost } = await recordTrace(arenaName(name), out, values, stop.signal, progress)
  progress('')
  process.stdout.write(
    `${out}: ${requests} requests; ${refused} that were refused, and ${lost} records that came too late, are not in it\n`
  )
  return 0
}

async function play(args: string[]): Promise<number> {
  const given = parse(args, REPLAY_OPTIONS)
  if (given === undefined) return usage(process.stderr, EXIT_USAGE)
  if (given.values.help === true) return usage(process.stdout, 0)
  const [place, ...rest] = given.positionals
  if (place === undefined || rest.length > 0) return misused('replay')
  await replayTrace(place, given.values, text => process.stdout.write(text), progress)
  return 0
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function inspect(name: string, { dir, json }: { dir?: string; json?: boolean }): number {
  const inspection = inspectArena(arenaName(name), dir)
  process.stdout.write(`${json === true ? toJson(inspection) : toText(name, inspection)}\n`)
  return 0
}

function remove(name: string, { dir, force }: { dir?: string; force?: boolean }): number {
  const removed = unlink(name, { ...(dir !== undefined && { dir }), ...(force !== undefined && { force }) })
  process.stdout.write(removed ? `removed ${name}\n` : `there is no arena ${name}\n`)
  return removed ? 0 : 1
}

async function agent(name: string, values: { dir?: string }): Promise<number> {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort())
  await runAgent(arenaName(name), values, text => process.stdout.write(text), ending.signal)
  return 0
}

async function history(where: string, query: readonly string[], { as }: { as?: string }): Promise<number> {
  try {
    process.stdout.write(`${await askHistory(where, query, as)}\n`)
    return 0
  } catch (error) {
    // What a database says of a query, or of a file that is none.
    if (isForelockError(error) || !(error instanceof Error)) throw error
    process.stderr.write(`forelock: ${error.message}\n`)
    return 1
  }
}

function usage(to: NodeJS.WriteStream, code: number): number {
  to.write(`${USAGE}\n`)
  return code
}
