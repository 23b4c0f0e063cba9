import { getPriority, setPriority } from 'node:os'
import { loadAddon } from '../native/load.js'

/** What setpriority(2) knows. */
const NICEST = 19

/**
 * A thread that may be late gives way to those that may not: it is nicer by that many steps, and never runs on the first of the processors that it was allowed.
 * Nicer is not enough: who wakes waits until the one that runs there has had its time, 4 ms at most kernels, and with two threads that are nice all of two
 * processors are taken. Where there is but one, nothing else can be done.
 *
 * @param nicer steps, 19 for the most there are
 * @param thread of this process, by the kernel's number; 0: the one that asks
 */
export function giveWay(nicer: number, thread = 0): void {
  setPriority(thread, Math.min(NICEST, getPriority(thread) + nicer))
  // It may be forbidden, as by a filter of system calls: then it is nicer, and no more.
  loadAddon().leaveProcessor(thread)
}
