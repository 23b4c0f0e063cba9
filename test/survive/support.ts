import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

/** Where arenas of these tests live: a folder of their own, so that none meets those of a user. */
export function temporaryFolder(): string {
  const folder = mkdtempSync('/dev/shm/forelock-survive-')
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function arenaFile(dir: string, name: string): string {
  return join(dir, `forelock.${name}`)
}

/** Byte offsets in the header of an arena (native/core/layout.h). */
export const Header = {
  magic: 0,
  format: 8,
  headerBytes: 12,
  signature: 16,
  size: 24,
  elements: 32,
  slots: 36,
  participants: 40,
  texts: 44,
  bootId: 80,
  timeNamespace: 96,
  identity: 104,
  tierCount: 132,
  retired: 272,
  backedElements: 312,
  /** the last of them ends here */
  end: 472
} as const

/** Overwrites bytes of a file in place. */
export function poke(file: string, offset: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'r+')
  try {
    writeSync(descriptor, bytes, 0, bytes.length, offset)
  } finally {
    closeSync(descriptor)
  }
}

export function peek(file: string, offset: number, length: number): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(length)
    readSync(descriptor, bytes, 0, length, offset)
    return bytes
  } finally {
    closeSync(descriptor)
  }
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
  return bytes
}

/** A reproducible stream of numbers (mulberry32): a failure is repeated by its seed. */
export class Random {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}

/** Starts a TypeScript file beside the tests as a process of its own, with a channel for messages. */
export function start(script: string, args: readonly string[] = [], options: ForkOptions = {}): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url))
  return fork(path, args, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'], ...options })
}

/** Starts a TypeScript file beside the tests as a worker thread of this process. */
export function startThread(script: string, data: object): Worker {
  const workerData = { ...data, script: new URL(script, import.meta.url).href }
  return new Worker(new URL('thread.entry.mjs', import.meta.url), { workerData, execArgv: [] })
}

/** The next message of a child; its end before that is an error that shows what it printed last. */
export async function message<T = unknown>(child: ChildProcess): Promise<T> {
  const ended = new AbortController()
  const printed: Buffer[] = []
  const keep = (chunk: Buffer) => printed.push(chunk)
  child.stderr?.on('data', keep)
  try {
    return await Promise.race([
      once(child, 'message', { signal: ended.signal }).then(([value]) => value as T),
      once(child, 'close', { signal: ended.signal }).then(([code, signal]) => {
        throw new Error(`the child ended with ${code ?? signal} before it answered\n${Buffer.concat(printed)}`)
      })
    ])
  } finally {
    ended.abort()
    child.stderr?.off('data', keep)
  }
}

/** Sends a message and waits for the answer. */
export function ask<T = unknown>(child: ChildProcess, question: object): Promise<T> {
  const answer = message<T>(child)
  child.send(question)
  return answer
}

/** How a child ended, and what it said. */
export interface End {
  code: number | null
  signal: NodeJS.Signals | null
  output: string
  timedOut: boolean
}

/** Waits for the end of a child; one that takes too long is killed, which its end then says. */
export async function ending(child: ChildProcess, withinMs: number): Promise<End> {
  const printed: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => printed.push(chunk))
  let timedOut = false
  const watchdog = setTimeout(() => {
    timedOut = true
    child.kill('SIGKILL')
  }, withinMs)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  clearTimeout(watchdog)
  return { code: child.exitCode, signal: child.signalCode, output: Buffer.concat(printed).toString(), timedOut }
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  await ended
}

/** Polls a condition that no event announces, bounded by a generous limit that only a failure reaches. */
export async function until(what: string, condition: () => boolean, limitMs = 60_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came true: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

export function addonFile(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const found = ['build/Release/forelock.node', 'build-cmake/Release/forelock.node', 'prebuilds/linux-x64/forelock.glibc.node']
    .map(path => join(root, path))
    .find(existsSync)
  if (found === undefined) throw new Error('the addon is not built')
  return found
}
