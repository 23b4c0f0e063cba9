#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { isForelockError } from '../errors/index.js'
import { unlink } from '../open.js'
import { arenaName } from '../open-options.js'
import { askHistory } from './history.js'
import { inspectArena, toJson, toText } from './inspect.js'

const USAGE = `forelock inspect NAME [--dir DIR] [--json]   holders and waiters of a named arena, with age, pid and tier
forelock unlink NAME [--dir DIR] [--force]   removes a named arena; --force also while it is in use
forelock history WHERE QUERY [--as ROLE]     asks a history, a file or postgres://…: peaks, frequent, bottlenecks, quantiles, 'usage WORKFLOW [ACTION]'
                                             or SQL (--as admin); JSON comes out`

// As of sysexits(3): 64 is a usage error. 1 is a refusal that the message explains.
const EXIT_USAGE = 64

const OPTIONS = {
  dir: { type: 'string' },
  json: { type: 'boolean' },
  force: { type: 'boolean' },
  as: { type: 'string' },
  help: { type: 'boolean', short: 'h' }
} as const

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const given = parse(args)
  if (given === undefined) return usage(process.stderr, EXIT_USAGE)
  const { verb, name, query, values } = given
  if (values.help === true) return usage(process.stdout, 0)
  try {
    if (verb === 'inspect' && name !== undefined && query === undefined) return inspect(name, values)
    if (verb === 'unlink' && name !== undefined && query === undefined) return remove(name, values)
    if (verb === 'history' && name !== undefined && query !== undefined) return await history(name, query, values)
  } catch (error) {
    if (!isForelockError(error)) throw error
    process.stderr.write(`forelock: ${error.message} [${error.code}]\n`)
    return 1
  }
  return usage(process.stderr, EXIT_USAGE)
}

function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
    const [verb, name, query, ...rest] = positionals
    return rest.length === 0 ? { verb, name, query, values } : undefined
  } catch (error) {
    process.stderr.write(`forelock: ${(error as Error).message}\n`)
    return undefined
  }
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

async function history(where: string, query: string, { as }: { as?: string }): Promise<number> {
  process.stdout.write(`${await askHistory(where, query, as)}\n`)
  return 0
}

function usage(to: NodeJS.WriteStream, code: number): number {
  to.write(`${USAGE}\n`)
  return code
}
