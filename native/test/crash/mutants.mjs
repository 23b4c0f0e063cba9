// Each mutant of the core must be caught. A mutant is one small change of the text of native/core, named by the mistake it
// stands for; it is built apart from the sources, and the tests named with it (then all others) run until one fails.
//
//   npm run test:mutants -- [--only TEXT|TEXT] [--jobs N] [--keep]
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, jobs: { type: 'string', default: '2' }, keep: { type: 'boolean', default: false } }
})

const step = (only, ...rest) => ['step', '--only', only, '--jobs', '1', ...rest]
const queueStep = (only, ...rest) => ['queue_step', '--only', only, ...rest]
const died = ['--deep', '0', '--stops', '0']
const diedTwice = ['--deep', '1', '--stops', '0']
const stopped = ['--deep', '0', '--stops', '1']

const passBegins = 'std::uint64_t held = Fast::word(false, participant_, sequence);\n  // (f1) as a release and'
const passSeesQueued =
  'std::uint64_t held = Fast::word(Fast::of(element.fast.load(memory_order_relaxed)).queued, participant_, sequence);\n  // (f1) as a release and'
const passKeeps = queued => ['Fast::word(false, participant_, sequence + 1)', `Fast::word(${queued}, participant_, sequence + 1)`]

const mutants = [
  {
    name: 'pool: a planned share asks higher tiers for units',
    file: 'gate.cc',
    change: [['tier_of(slot) < tier && pool_->beyond_its_part', 'pool_->beyond_its_part']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'pool: a planned share asks for units that were not granted as revocable',
    file: 'gate.cc',
    change: [['(slot.flags.get() & SlotFlag::kRevocable) != 0 && tier_of(slot)', 'tier_of(slot)']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'pool: a planned share asks for more units than are wanted',
    file: 'gate.cc',
    change: [['    if (pool_->enough_with(entitled, coming)) return;\n', '']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'pool: all tenants weigh the same',
    file: 'pool.cc',
    change: [['return share / weight_of(of);', 'return share;']],
    caughtBy: [['pool_test']]
  },
  {
    name: 'reserve: one holds more than all plans may keep',
    file: 'bucket.cc',
    change: [['std::min(tokens > 0 ? tokens : 0, window * max_reserve(arena_))', 'std::min(tokens > 0 ? tokens : 0, window)']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: an escalation lowers who asks in a higher tier',
    file: 'plan.cc',
    change: [['if (one.tier <= (found ? plan.tier : tier)) return;', 'if (found && one.tier <= plan.tier) return;']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'telemetry: what was overwritten before it was read is not counted',
    file: 'lane_reader.cc',
    change: [['lost_ += oldest - place;', '']],
    caughtBy: [['telemetry_test']]
  },
  {
    name: 'telemetry: a note that was overwritten while it was copied is believed',
    file: 'lane_reader.cc',
    change: [['    if (tail > place.notes) {\n', '    if (false && tail > place.notes) {\n']],
    caughtBy: [['telemetry_test']]
  },
  {
    name: 'statistics: a row that one died over is kept from all for ever',
    file: 'stats.cc',
    change: [
      ['return life.life != Life::kAlive || StatKey::claim(by, life.incarnation) != key || key == claim_;', 'return key == claim_;']
    ],
    caughtBy: [['stats_test']]
  },
  {
    name: 'statistics: who takes a row over goes on with its counts',
    file: 'stats.cc',
    change: [['words[i].store(0, memory_order_relaxed);', '(void)words[i].load(memory_order_relaxed);']],
    caughtBy: [['stats_test']]
  },
  {
    name: 'keeps are not bounded together',
    file: 'pool.cc',
    change: [['units_kept(std::min(part, max_reserve(arena_)), d)', 'units_kept(part, d)']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'a keep is obeyed by its own tier',
    file: 'pool.cc',
    change: [['  if (own >= tier) return true;\n', '  if (own > tier) return true;\n']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'bucket: keeps are not bounded together',
    file: 'bucket.cc',
    change: [
      ['std::min(plan.amount, most) * static_cast<double>(pace.burst)', 'std::min(plan.amount, 1.0) * static_cast<double>(pace.burst)']
    ],
    caughtBy: [['plan_test']]
  },
  {
    name: 'bucket: a keep is obeyed by its own tier',
    file: 'bucket.cc',
    change: [
      ['const bool of_its_tier = plan.tier <= who.tier;', 'const bool of_its_tier = plan.tier < who.tier;'],
      ['if (plan.tier <= who.tier) return 0;', 'if (plan.tier < who.tier) return 0;']
    ],
    caughtBy: [['plan_test']]
  },
  {
    name: 'bucket: what needs all of it never passes a keep',
    file: 'bucket.cc',
    change: [
      ['!is_planned() || amount >= pace.burst', '!is_planned()'],
      ['visitor(entry, plan, std::min(units, pace.burst - amount))', 'visitor(entry, plan, units)']
    ],
    caughtBy: [['plan_test']]
  },
  {
    name: 'bucket: nobody ages past a keep',
    file: 'bucket.cc',
    change: [['if (who.arrival == 0 || ageing == 0) return plan.until;', 'if (who.arrival != ageing + 1) return plan.until;']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'bucket: a refusal does not reckon with what is kept',
    file: 'bucket.cc',
    change: [['ready = std::max(ready, std::min(enough(units), passes_at(plan, who)));', '(void)plan;']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'bucket: the time for which a keep alone keeps somebody waiting counts from the look at it',
    file: 'gate.cc',
    change: [['plans.block(*kept->entry, index_ + 1, lane_.now(), kept->since);', 'plans.block(*kept->entry, index_ + 1, lane_.now());']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'bucket: nobody looks when the tokens are there that a keep alone keeps from somebody',
    file: 'gate.cc',
    change: [['bucket.ready_at(tokens, now, who, (flags & SlotFlag::kHeldBack) == 0)', 'bucket.ready_at(tokens, now, who)']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'bucket: who waits hears nothing of another keep',
    file: 'member.cc',
    change: [['if (plan.kind == PlanKind::kKeep && Bucket::is(arena_, plan.what - 1)) hurry(plan.what - 1);', '']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'the hint is written after the gate is entered',
    file: 'gate.cc',
    change: [
      ['    lane_.note(index_, adopted_);  // before the CAS: if we die inside, the next one finds it in our hint\n', ''],
      ['      takeover_ = gate.holder != 0;\n', '      takeover_ = gate.holder != 0;\n      lane_.note(index_, adopted_);\n']
    ],
    caughtBy: [step('shared acquire of a free lock', ...diedTwice)]
  },
  {
    name: 'the waiter is not noted before it is offered the lock',
    file: 'gate.cc',
    change: [['  lane_.note(index_, id);\n  const std::uint32_t sequence', '  const std::uint32_t sequence']],
    caughtBy: [step('release with one waiter', ...died)]
  },
  {
    name: 'the hint of the dead is not adopted',
    file: 'gate.cc',
    change: [['adopted_ = theirs.slot;', 'adopted_ = 0;']],
    caughtBy: [step('release with one waiter', ...died)]
  },
  {
    name: 'a waiter that was served is not unlinked',
    file: 'gate.cc',
    change: [['  } else {\n    unlink(id);\n  }\n', '  }\n']],
    caughtBy: [['member_test']]
  },
  {
    name: 'the cached tail of a list is not repaired',
    file: 'gate.cc',
    change: [['    if (last != 0) arena_.slot(head.load(memory_order_acquire)).tail.set(last);\n', '    (void)last;\n']],
    caughtBy: [step('acquire with an inbox', ...died)]
  },
  {
    name: 'a poke is lost: whoever leaves the gate does not look for it',
    file: 'gate.cc',
    change: [['  if (gate.poke) {\n', '  if (false) {\n']],
    caughtBy: [step('release with one waiter', ...stopped), step('abort in the queue', ...stopped), step('shared release', ...stopped)]
  },
  {
    name: 'a poke is lost: whoever finds the gate busy leaves none',
    file: 'gate.cc',
    change: [['      if (!poke) return Entry::kBusy;\n', '      return Entry::kBusy;\n']],
    caughtBy: [step('shared acquire and release beside another', ...stopped)]
  },
  {
    name: 'the held bit is cleared before the visit',
    file: 'member.h',
    change: [
      [
        '  if ((word & Fast::kQueued) != 0 || through_gate) visit(index, true);\n  drop_bit(index);',
        '  drop_bit(index);\n  if ((word & Fast::kQueued) != 0 || through_gate) visit(index, true);'
      ]
    ],
    caughtBy: [step('release with one waiter', ...died)]
  },
  {
    name: 'the held bit is set after the fast acquire',
    file: 'member.h',
    change: [
      ['  hold_bit(handle.index);  // write-ahead: a sweep of ours looks at it even if we die right after the CAS\n', ''],
      [
        '  if (!current(element, handle.generation)) {\n    give_back',
        '  hold_bit(handle.index);\n  if (!current(element, handle.generation)) {\n    give_back'
      ]
    ],
    caughtBy: [step('fast acquire and release', ...died)]
  },
  {
    name: 'a grant is announced after it is ready',
    file: 'gate.cc',
    change: [
      ['  announce(id, anew);\n  const SlotState ready', '  const SlotState ready'],
      [
        '  if (owner != 0) tell_ready(owner, anew);\n  return true;\n',
        '  announce(id, anew);\n  if (owner != 0) tell_ready(owner, anew);\n  return true;\n'
      ]
    ],
    caughtBy: [step('release with one waiter', ...stopped), step('release to readers', ...stopped)]
  },
  {
    name: 'a slot may be linked into the wake list twice',
    file: 'gate.cc',
    change: [
      [
        '(slot.wish.fetch_or(Wish::kInWake, memory_order_acq_rel) & Wish::kInWake) == 0',
        '(slot.wish.fetch_or(Wish::kInWake, memory_order_acq_rel) & 0) == 0'
      ]
    ],
    caughtBy: [step('release with one waiter', ...died)]
  },
  {
    name: 'whoever takes over asks for no rescan',
    file: 'gate.cc',
    change: [['{ anew ? notify(owner, Notice::kRescan) : lane_.ring_later(owner); }', '{ (void)anew; lane_.ring_later(owner); }']],
    caughtBy: [step('release with one waiter', ...died)]
  },
  {
    name: 'a cycle of waits is believed at the first look',
    file: 'deadlock.cc',
    change: [['if (!cycle.empty() && Walk(arena, from).run() != cycle) cycle.clear();', '']],
    caughtBy: [['interleave', 'deadlocks']]
  },
  {
    name: 'a record in the making that no name led to when its maker died is not a lock',
    file: 'table.cc',
    change: [['(lost ? meta & ~Meta::kKindMask : meta)', 'meta']],
    caughtBy: [['interleave', 'making']]
  },
  {
    name: 'plan: of two that are written at once both stay',
    file: 'plan.cc',
    change: [['  leave_one(lane, plan, choice, out);\n', '']],
    caughtBy: [['interleave', 'plans']]
  },
  {
    name: 'plan: of two that are written at once neither need see the other',
    file: 'plan.cc',
    change: [['of->written.fetch_add(1, memory_order_acq_rel)', 'of->written.fetch_add(1, memory_order_relaxed)']],
    caughtBy: [['schedule', 'supply', '--only', 'plan: write/write of one plan']]
  },
  {
    name: 'the inbox is emptied before its nodes are marked',
    file: 'gate.cc',
    change: [
      [
        '    SlotId oldest = 0;\n    std::uint32_t steps = 0;\n    for (SlotId x = gate.head',
        '    {\n      std::uint64_t seen = gate.word();\n      Gate emptied = gate;\n      emptied.head = 0;\n' +
          '      if (!element_.gate.compare_exchange_strong(seen, emptied.word())) continue;\n    }\n' +
          '    SlotId oldest = 0;\n    std::uint32_t steps = 0;\n    for (SlotId x = gate.head'
      ]
    ],
    caughtBy: [step('acquire, queued first', ...died), step('inbox', ...died)]
  },
  {
    name: 'a drain links again what the dead had linked',
    file: 'gate.cc',
    change: [['  if (!recovering || !queued_somewhere(id)) enlist(id);\n', '  (void)recovering;\n  enlist(id);\n']],
    caughtBy: [step('acquire, queued first', ...died)]
  },
  {
    name: 'a waiter between two tiers is forgotten',
    file: 'gate.cc',
    change: [['        put_back(hinted);\n', '']],
    caughtBy: [step('waits of others to be moved', ...died)]
  },
  {
    name: 'the death of an owner is not remembered',
    file: 'gate.cc',
    change: [
      [
        '      if (kind_ == Kind::kLock) element_.meta.fetch_or(Meta::kDied, memory_order_acq_rel);\n      if (element_.fast.compare',
        '      if (element_.fast.compare'
      ]
    ],
    caughtBy: [['member_test']]
  },
  {
    name: 'nobody is told that a grant may have been taken by the dead',
    file: 'gate.cc',
    change: [['    alarm_all();\n', '']],
    caughtBy: [step('steal over an exclusive holder', ...died)]
  },
  {
    name: 'changes are marked after the poke',
    file: 'gate.cc',
    change: [
      [
        '      if (changed && !marked) {\n        element_.meta.fetch_or(Meta::kDirty, memory_order_acq_rel);\n        marked = true;\n        continue;\n      }\n',
        ''
      ],
      [
        'memory_order_acq_rel, memory_order_relaxed)) {\n        return Entry::kBusy;',
        'memory_order_acq_rel, memory_order_relaxed)) {\n        if (changed && !marked) element_.meta.fetch_or(Meta::kDirty, memory_order_acq_rel);\n        return Entry::kBusy;'
      ]
    ],
    caughtBy: [
      ['schedule', 'lock', '--only', 'abort/hand-off'],
      ['schedule', 'lock', '--only', 'two shared releases']
    ]
  },
  {
    name: 'the generation is not looked at again inside the gate',
    file: 'gate.cc',
    change: [
      [
        '  const bool current = Meta::generation(element_.meta.load(memory_order_acquire)) == generation;\n',
        '  const bool current = (void(generation), true);\n'
      ]
    ],
    caughtBy: [step('shared acquire of a free', ...stopped)]
  },
  {
    name: 'the generation is not looked at again after a fast acquire',
    file: 'member.h',
    change: [['  if (!current(element, handle.generation)) {\n    give_back', '  if (false) {\n    give_back']],
    caughtBy: [step('fast acquire and release', ...stopped)]
  },
  {
    name: 'the generation is not looked at again after a push',
    file: 'member.cc',
    change: [
      ['answer == Answer::kOk && !current(element, request.handle.generation)', 'false && !current(element, request.handle.generation)']
    ],
    caughtBy: [
      ['schedule', 'recycle', '--only', 'acquire with a stale handle'],
      ['interleave', 'recycle']
    ]
  },
  {
    name: 'a claim of a key is its bucket at once, without a second look',
    file: 'keyed.cc',
    change: [
      [
        'if (room == Room::kNone) return KeyedAnswer::kNoKeys;',
        `if (room == Room::kNone) return KeyedAnswer::kNoKeys;
      if (room == Room::kClaimed) {
        const KeyedAnswer answer = take_from(known, home, amount, since_epoch(), out, done);
        if (done) return answer;
      }`
      ]
    ],
    caughtBy: [['interleave', 'keys']]
  },
  {
    name: 'of two claims of a key both are let be',
    file: 'keyed.cc',
    change: [['      remove(found.rival);\n      continue;\n', '']],
    caughtBy: [
      ['interleave', 'keys'],
      ['keyed_test', 'threads']
    ]
  },
  {
    name: 'the clock of a new key is read before the look',
    file: 'keyed.cc',
    change: [
      [
        '    } else if (found.at == known) {',
        '    } else if (found.at == known) {\n      if (take_from(found.at, home, amount, early, out, done) == KeyedAnswer::kOk && done) return KeyedAnswer::kOk;'
      ]
    ],
    caughtBy: [
      ['interleave', 'keys'],
      ['keyed_test', 'threads']
    ]
  },
  {
    name: 'that keys went further is forgotten when the first cell of their line changes',
    file: 'keyed.cc',
    change: [['(place.seen.high & TimeWord::kMore) | (taken.tat & TimeWord::kTimeMask)', '(taken.tat & TimeWord::kTimeMask)']],
    caughtBy: [['interleave', 'keys']]
  },
  {
    name: 'a bucket is given away shortly before it is full',
    file: 'keyed.cc',
    change: [['if (tat > at) continue;', 'if (tat > at + 1000) continue;']],
    caughtBy: [['keyed_test']]
  },
  {
    name: 'a change of the pace does not finish the one before it',
    file: 'keyed.cc',
    change: [['  refresh();\n  convert_all();\n  const', '  refresh();\n  const']],
    caughtBy: [['keyed_test']]
  },
  {
    name: 'a pass does not raise the sequence',
    file: 'member.h',
    change: [
      [
        'Fast::word(false, participant_, sequence + 1), memory_order_acq_rel',
        'Fast::word(false, participant_, sequence), memory_order_acq_rel'
      ],
      ['out = {(sequence + 1) & Fast::kSequenceMask', 'out = {sequence & Fast::kSequenceMask']
    ],
    caughtBy: [step('pass with nobody there', ...died)]
  },
  {
    name: 'a pass goes before those who wait',
    file: 'member.h',
    change: [[passBegins, passSeesQueued], passKeeps('Fast::of(held).queued')],
    caughtBy: [step('pass while another waits', ...died)]
  },
  {
    name: 'a pass takes the queued bit away from those who wait',
    file: 'member.h',
    change: [[passBegins, passSeesQueued]],
    caughtBy: [step('pass and release, while', ...died)]
  },
  {
    name: 'a pass clears the held bit, as a release does',
    file: 'member.h',
    change: [
      [
        'element.since.store(since_word(arena_.header(), coarse, tier), memory_order_relaxed);\n  out = {(sequence + 1)',
        'drop_bit(index);\n  element.since.store(since_word(arena_.header(), coarse, tier), memory_order_relaxed);\n  out = {(sequence + 1)'
      ]
    ],
    caughtBy: [step('pass with nobody there', ...died)]
  },
  {
    name: 'the held bit is cleared before a fast release',
    file: 'member.h',
    change: [
      [
        'if (element.fast.load(memory_order_relaxed) != held) return false;',
        'if (element.fast.load(memory_order_relaxed) != held) return false;\n  drop_bit(index);'
      ],
      [
        'memory_order_relaxed)) return false;\n  drop_bit(index);\n  if (telemetry_',
        'memory_order_relaxed)) return false;\n  if (telemetry_'
      ]
    ],
    caughtBy: [step('fast acquire and fast release', ...died)]
  },
  {
    name: 'a fast release does not look whether anybody waits',
    file: 'member.h',
    change: [
      [
        '  std::uint64_t held = Fast::word(false, participant_, sequence);\n  if (element.fast.load(memory_order_relaxed) != held) return false;',
        '  std::uint64_t held = element.fast.load(memory_order_relaxed);\n  if ((held & ~Fast::kQueued) != Fast::word(false, participant_, sequence)) return false;'
      ]
    ],
    caughtBy: [['member_test']]
  },
  {
    name: 'an element is live after its maker has let go of it',
    file: 'table.cc',
    change: [
      ['    element.maker.store(0, memory_order_release);  // last: until then a sweep of ours knows whose element it is\n', ''],
      [
        '    std::uint64_t meta = element.meta.load(memory_order_acquire);\n    while (!element.meta',
        '    element.maker.store(0, memory_order_release);\n    std::uint64_t meta = element.meta.load(memory_order_acquire);\n    while (!element.meta'
      ]
    ],
    caughtBy: [step('look-up that makes an element', ...died)]
  },
  {
    name: 'tokens of a recycled name start below those it gave',
    file: 'gate.cc',
    change: [['    while (known < last && !floor', '    while (false && !floor']],
    caughtBy: [['member_test'], step('recycles an idle', ...died)]
  },
  {
    name: 'a sweep does not look at the hints of the dead',
    file: 'sweep.cc',
    change: [['    hint(Thread::kScript);\n', '']],
    caughtBy: [step('look-up that makes an element', ...died)]
  },
  {
    name: 'a sweep does not look at what the dead held',
    file: 'sweep.cc',
    change: [['    held();\n', '']],
    caughtBy: [['member_test']]
  },
  {
    name: 'a shared release leaves the gate to others',
    file: 'member.cc',
    change: [['      visit(slot.element.get(), true, id);\n      answer = Answer::kOk;', '    answer = Answer::kOk;']],
    caughtBy: [['member_test']]
  },
  {
    name: 'queue: nobody is told that a participant uses it',
    file: 'member_queue.cc',
    change: [['  hold_bit(items.index);\n', '']],
    caughtBy: [queueStep('poll of one record', ...died)]
  },
  {
    name: 'queue: a sweep does not go on with what was half put',
    file: 'queue.cc',
    change: [['if (!linked(i, word)) put_anyhow(seen, word.ring);', '']],
    caughtBy: [queueStep('poll and acknowledge', ...died)]
  },
  {
    name: 'queue: a sweep puts what is linked already',
    file: 'queue.cc',
    change: [
      ['if (!linked(i, word)) put_anyhow(seen, word.ring);', 'put_anyhow(seen, word.ring);'],
      ['if (was.in_ring() && was.ticket != next && linked(seen.cell, was)) return true;', '']
    ],
    caughtBy: [['queue_test']]
  },
  {
    name: 'queue: what the dead had in hand is gone',
    file: 'queue.cc',
    change: [['for (const Seen& seen : in_hand) put_back(seen);', '']],
    caughtBy: [queueStep('sweep of one with records in hand', ...died)]
  },
  {
    name: 'queue: what comes back goes to the end of its tier',
    file: 'queue.cc',
    change: [
      [
        'ring == kFreeRing ? kFreeRing : returned_ring(tier_of_ring(ring))',
        'ring == kFreeRing ? kFreeRing : fresh_ring(tier_of_ring(ring))'
      ]
    ],
    caughtBy: [['queue_test']]
  },
  {
    name: 'queue: an entry that was overwritten stops the head for ever',
    file: 'queue.cc',
    change: [['if (lap < 0) break;', 'if (lap != 0) break;']],
    caughtBy: [['queue_test']]
  },
  {
    name: 'queue: a head that was set back is moved past what is still there',
    file: 'queue.cc',
    change: [['first = after(RingEntry::ticket(seen) - places_);', 'first = after(RingEntry::ticket(seen));']],
    caughtBy: [['queue_test']]
  },
  {
    name: 'queue: a put whose cell a sweeper has given another ticket ends before it is linked',
    file: 'queue.cc',
    change: [
      ['if (!moved || !is.in_ring() || is.ring != ring) return moved;', 'if (moved || !is.in_ring() || is.ring != ring) return moved;']
    ],
    caughtBy: [['queue_test']]
  },
  {
    name: 'queue: a tail that was set back is believed',
    file: 'queue.cc',
    change: [
      ['if (RingEntry::difference(last, next) < 0) return next;', 'if (rounds == 0 || RingEntry::difference(last, next) < 0) return next;']
    ],
    caughtBy: [['queue_test']]
  },
  {
    name: 'queue: a ring is marked as used after something was linked in it',
    file: 'queue.h',
    change: [
      ['  mark_used(ring);\n  const std::uint64_t next = tail', '  const std::uint64_t next = tail'],
      ['move(tail, next, after(next));\n      return;', 'move(tail, next, after(next));\n      mark_used(ring);\n      return;']
    ],
    caughtBy: [queueStep('two offers in two tiers', ...died)]
  },
  {
    name: 'queue: a cell is linked before it has its ticket',
    file: 'queue.h',
    change: [
      ['    state.store(wanted, memory_order_release);\n', ''],
      ['[[likely]] {\n      move(tail, next', '[[likely]] {\n      state.store(wanted, memory_order_release);\n      move(tail, next']
    ],
    caughtBy: [queueStep('offer to an empty queue', '--deep', '0', '--stops', '1')]
  },
  {
    name: 'queue: a waiter is not noted before it is offered a record',
    file: 'gate_queue.cc',
    change: [['    lane_.note(index_, id);\n    slot.ttl', '    slot.ttl']],
    caughtBy: [queueStep('offer to one that waits', ...died)]
  },
  {
    name: 'queue: what was given to a wait that is given up meanwhile stays with it',
    file: 'gate_queue.cc',
    change: [['if (committed(queue, slot, state, owner, cell)) queue.put_back(cell);', '']],
    caughtBy: [queueStep('offer to one', ...stopped)]
  },
  {
    name: 'queue: a record that comes back is not offered to those who wait',
    file: 'sweep.cc',
    change: [['      visit(queue.items());\n', '']],
    caughtBy: [['queue_test']]
  },
  {
    name: 'queue: who does not wait passes those who do',
    file: 'member_queue.cc',
    change: [['!queue.room_wanted() || let_pass(queue.room())', 'true']],
    caughtBy: [['queue_test']]
  },
  {
    name: 'supply: who takes over does not remember that a wait may have been announced',
    file: 'gate.cc',
    change: [['        slot.wish.fetch_or(Wish::kAnew, memory_order_acq_rel);\n', '']],
    caughtBy: [step('a wait for tokens given up when', ...died), step('tokens', ...died)]
  },
  {
    name: 'bucket: what one above refuses is not given back',
    file: 'bucket.cc',
    change: [['      give_back_own(pace, amount - drawn);\n', '']],
    caughtBy: [['bucket_test']]
  },
  {
    name: 'bucket: another pace is shown before it is written',
    file: 'bucket.cc',
    change: [
      ['    record_.cells[spare].set(pace);\n', ''],
      [
        'compare_exchange_strong(seen, next, memory_order_acq_rel, memory_order_acquire)) return;\n  }\n}\n\nDefined define',
        'compare_exchange_strong(seen, next, memory_order_acq_rel, memory_order_acquire)) return record_.cells[spare].set(pace);\n  }\n}\n\nDefined define'
      ]
    ],
    caughtBy: [step('another pace', ...died)]
  },
  {
    name: 'bucket: a change of the pace forgets the debt',
    file: 'bucket.cc',
    change: [
      [
        'const std::uint64_t tat = convert(old, pace, Tat::time(seen), since_epoch(now));',
        'const std::uint64_t tat = 0; (void)convert; (void)now;'
      ]
    ],
    caughtBy: [['bucket_test']]
  },
  {
    name: 'bucket: a take goes by the pace that was, after another was faster',
    file: 'bucket.cc',
    change: [['if (Tat::cell(seen) != cell || !pace.same_units(record_.cells[cell].get())) return Spent::kRefused;', '(void)cell;']],
    caughtBy: [['schedule', 'supply', '--only', 'bucket']]
  },
  {
    name: 'reserve: time for which the bucket was full counts again and again',
    file: 'bucket.cc',
    change: [
      [
        'if (tat >= at || !element_.fast.compare_exchange_strong(word, Tat::at(seen, at), memory_order_acq_rel, memory_order_relaxed)) return;',
        'if (tat >= at || word == 0) return;'
      ]
    ],
    caughtBy: [['plan_test']]
  },
  {
    name: 'reserve: what is drawn stays there',
    file: 'bucket.cc',
    change: [['kept - std::min(kept, taken)', 'kept - 0 * taken']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'reserve: anybody draws on it',
    file: 'bucket.cc',
    change: [['(one.who == 0 || one.who == who.workflow || one.who == who.tenant)', '(one.who == 0 || who.tenant == 0)']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'pool: who takes over believes the sums of the dead',
    file: 'gate.cc',
    change: [['  if (pool_) pool_->recount();\n}', '}']],
    caughtBy: [step('units', ...died)]
  },
  {
    name: 'pool: a grant whose owner died over making it smaller is subtracted as it is now',
    file: 'pool.cc',
    change: [['(Wish::kRecount | Wish::kShrinking)', 'Wish::kRecount']],
    caughtBy: [step('died over making its grant smaller', ...died)]
  },
  {
    name: 'pool: another capacity is written over the one that holds',
    file: 'pool.cc',
    change: [['(record_.current.load(memory_order_acquire) + 1) & 1', 'record_.current.load(memory_order_acquire) & 1']],
    caughtBy: [step('a capacity made', ...died)]
  },
  {
    name: 'bucket: tokens taken at once pass by those who wait',
    file: 'bucket.h',
    change: [['(seen & Tat::kQueued) != 0 || is_planned()', 'is_planned()']],
    caughtBy: [['bucket_test']]
  },
  {
    name: 'bucket: tokens taken at once are not asked for above',
    file: 'bucket.h',
    change: [[' || record_.parent.get() != 0) return kNotAtOnce;', ') return kNotAtOnce;']],
    caughtBy: [['bucket_test']]
  },
  {
    name: 'pool: a short visit passes by those who wait',
    file: 'gate_units.h',
    change: [
      [
        'return first == 0 && (element_.fast.load(memory_order_acquire) & (Fast::kQueued | Fast::kOwnerMask)) == 0;',
        '(void)first;\n    return true;'
      ]
    ],
    caughtBy: [['pool_test']]
  },
  {
    name: 'pool: the floor of another tier is lent',
    file: 'pool_sums.cc',
    change: [['if (t != tier) kept += floor_left(terms, t, d);', '']],
    caughtBy: [['pool_test']]
  },
  {
    name: 'pool: who waits behind others for more than there is now is not told',
    file: 'member.cc',
    change: [
      [
        '    arena_.element(index).meta.fetch_or(Meta::kDirty, memory_order_acq_rel);  // somebody may wait for more than there is now\n',
        ''
      ]
    ],
    caughtBy: [['pool_test'], step('a capacity made smaller', ...died)]
  },
  {
    name: 'plan: it is written over the one that holds',
    file: 'plan.cc',
    change: [
      ['entry.cells[control.current ^ 1]', 'entry.cells[control.current]'],
      ['{control.version + 1, 0, control.current ^ 1, true}', '{control.version + 1, 0, control.current, true}']
    ],
    caughtBy: [step('a plan written anew', ...died)]
  },
  {
    name: 'plan: what a dead planner was writing is its for ever',
    file: 'sweep.cc',
    change: [['    Plans(arena_).let_go_of(dead_);\n', '']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: one is shown before its place says so',
    file: 'plan.cc',
    change: [
      ['  mark_used(chosen, true);\n', ''],
      [
        '  entry.control.store(control.word(), memory_order_release);  // (p3)\n',
        '  entry.control.store(control.word(), memory_order_release);\n  mark_used(chosen, true);\n'
      ]
    ],
    caughtBy: [step('the first plan', ...died)]
  },
  {
    name: 'plan: its place is used for ever',
    file: 'plan.cc',
    change: [['    mark_used(at, false);', '    //']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: who has looked at all of them sees none that comes later',
    file: 'plan.cc',
    change: [['  table()->changes.fetch_add(1, memory_order_acq_rel);\n  // (p5)', '  // (p5)']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: a dead planner had told of all that it wrote',
    file: 'plan.cc',
    change: [['  table()->changes.fetch_add(1, memory_order_acq_rel);  // (p7) it may', '  // (p7) it may']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: those of a window that goes on in the next word are not found',
    file: 'plan.cc',
    change: [['  if (shift > 64 - kPlanWindow) bits |=', '  if (shift > 64) bits |=']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: a hold that is written anew begins from nothing',
    file: 'plan.cc',
    change: [
      [
        '  control = {control.version + 1, 0, control.current ^ 1, true};',
        '  control = {control.version + 1, 0, control.current ^ 1, true};\n  entry.of.store(0, memory_order_relaxed);\n  entry.kept_now.store(0, memory_order_relaxed);'
      ]
    ],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: a hold keeps its own tier waiting',
    file: 'gate.cc',
    change: [['tier >= plan.tier || (flags', 'tier > plan.tier || (flags']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: a lower tier takes a free lock past a hold',
    file: 'member.h',
    change: [['if ((meta & Meta::kPlanned) != 0 && !passes_holds', 'if (false && !passes_holds']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: whom a hold for anybody is for passes without using it',
    file: 'member.h',
    change: [[' && (meta & Meta::kHoldForAll) == 0', '']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: a lock under a hold is handed on past it',
    file: 'member.h',
    change: [['  if (is_planned(index)) return holds(index, sequence) ? Answer::kBusy : Answer::kLost;\n', '']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: the place of a lock under a hold is given to another name',
    file: 'gate.cc',
    change: [[' && (meta & Meta::kPlanned) == 0;  // a plan is of', ';  // a plan is of']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: nobody ages past a hold',
    file: 'gate.cc',
    change: [['if (ageing != 0 && now >= slot.arrival.get() + (plan.tier - tier) * ageing) return false;', '(void)ageing;']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: what a reserve has keeps the deadline of the plan that was replaced',
    file: 'bucket.cc',
    change: [['if (until == 0 || until == seen || now >= seen) return;', 'return;']],
    caughtBy: [['plan_test']]
  },
  {
    name: 'plan: a hold that is taken back is charged on',
    file: 'plan.cc',
    change: [
      [
        'if (entry.of.load(memory_order_relaxed) == key) unblock(entry, live ? plan.until : now);',
        'if (live && entry.of.load(memory_order_relaxed) == key) unblock(entry, plan.until);'
      ]
    ],
    caughtBy: [['plan_test']]
  }
].filter(mutant => options.only.split('|').some(text => mutant.name.includes(text)))

const everything = [['member_test'], ['plan_test'], ['interleave', 'recycle'], ['step', '--jobs', '2'], ['storm', '10']]

const scratch = mkdtempSync(join(tmpdir(), 'mutants-'))
const coreFiles = readFileSync(join(root, 'native', 'sources.txt'), 'utf8')
  .split('\n')
  .filter(line => line.startsWith('native/core/'))
  .map(line => basename(line.trim()))
const programs = {
  step: 'crash/step.cc',
  queue_step: 'crash/queue_step.cc',
  storm: 'crash/storm.cc',
  member_test: 'unit/member_test.cc',
  queue_test: 'unit/queue_test.cc',
  keyed_test: 'unit/keyed_test.cc',
  bucket_test: 'unit/bucket_test.cc',
  pool_test: 'unit/pool_test.cc',
  plan_test: 'unit/plan_test.cc',
  telemetry_test: 'unit/telemetry_test.cc',
  stats_test: 'unit/stats_test.cc'
}

function run(command, args, timeout = 600_000) {
  return new Promise(resolve => {
    execFile(command, args, { timeout, maxBuffer: 1 << 28, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ failed: error !== null, output: stdout + stderr })
    })
  })
}

async function compile(native, source, object, extra = []) {
  const flags = [
    '-std=c++20',
    '-O1',
    '-g',
    '-pthread',
    ...(process.arch === 'x64' ? ['-mcx16'] : []),
    `-I${native}`,
    `-I${sound}`,
    ...extra
  ]
  const result = await run('g++', [...flags, '-c', source, '-o', object])
  if (result.failed) throw new Error(`does not compile: ${source}\n${result.output.slice(0, 2000)}`)
}

function apply(mutant, folder) {
  const path = join(folder, 'core', mutant.file)
  let text = readFileSync(path, 'utf8')
  for (const [from, to] of mutant.change) {
    // However the formatter has broken the lines.
    const pattern = new RegExp([...from.replace(/\s+/g, '')].map(c => c.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')).join('\\s*'), 'g')
    const found = text.match(pattern)?.length ?? 0
    if (found !== 1) throw new Error(`the text to replace is there ${found} times in ${mutant.file}:\n${from}`)
    text = text.replace(pattern, () => to)
  }
  writeFileSync(path, text)
}

// The sources as they were at the start, and their objects: a mutant of one .cc needs only that one anew.
const sound = join(scratch, 'sound')

// Suites for which the core is compiled with atomics of their own.
const otherAtomics = {
  schedule: ['-O2', '-DFORELOCK_SCHEDULED', `-I${join(sound, 'test', 'schedule')}`],
  interleave: ['-DFORELOCK_SCHEDULED', `-I${join(sound, 'test')}`, `-I${join(sound, 'test', 'interleave', 'hooked')}`]
}

class Build {
  constructor(mutant, number) {
    this.mutant = mutant
    this.folder = join(scratch, String(number))
    this.linked = new Map()
    cpSync(join(sound, 'core'), join(this.folder, 'core'), { recursive: true })
    apply(mutant, this.folder)
    this.header = mutant.file.endsWith('.h')
  }

  async program(name, suite) {
    const key = suite ? `${suite}-${name}` : name
    if (this.linked.has(key)) return this.linked.get(key)
    const source = join(sound, 'test', suite ? `${suite}/${name}.cc` : programs[name])
    // The exhaustive scheduler has no words of 16 bytes.
    const files = coreFiles.filter(file => suite !== 'schedule' || file !== 'keyed.cc')
    const sources = [source, ...files.map(file => join(this.folder, 'core', file))]
    const objects = []
    for (const path of sources) {
      const anew = suite || this.header || basename(path) === this.mutant.file
      const object = join(anew ? this.folder : sound, `${suite ? `${suite}-` : ''}${basename(path)}.o`)
      if (anew && !this.linked.has(object)) {
        await compile(this.folder, path, object, suite ? otherAtomics[suite] : [])
        this.linked.set(object, object)
      }
      objects.push(object)
    }
    const program = join(this.folder, key)
    const result = await run('g++', ['-pthread', ...objects, '-o', program])
    if (result.failed) throw new Error(`does not link: ${result.output.slice(0, 2000)}`)
    this.linked.set(key, program)
    return program
  }

  async fails(test) {
    const suite = test[0] in otherAtomics ? test[0] : undefined
    const [name, ...args] = suite ? test.slice(1) : test
    const result = await run(await this.program(name, suite), args)
    if (!result.failed) return ''
    const why = result.output.split('\n').find(line => /FAIL|VIOLATION/.test(line)) ?? 'it crashed or hung'
    return why.trim().slice(0, 160)
  }
}

async function hunt(mutant, number) {
  const build = new Build(mutant, number)
  for (const test of [...mutant.caughtBy, ...everything]) {
    const why = await build.fails(test)
    if (why !== '') return { caught: true, by: test.join(' '), why }
  }
  return { caught: false }
}

async function prepareSound() {
  for (const folder of ['core', 'shm', 'test']) cpSync(join(root, 'native', folder), join(sound, folder), { recursive: true })
  const sources = [...coreFiles.map(file => join(sound, 'core', file)), ...Object.values(programs).map(path => join(sound, 'test', path))]
  for (const source of sources) await compile(sound, source, join(sound, `${basename(source)}.o`))
}

let passed = 0
let failed = 0
let next = 0

async function work() {
  while (next < mutants.length) {
    const number = next++
    const mutant = mutants[number]
    try {
      const result = await hunt(mutant, number)
      if (result.caught) passed++
      else failed++
      console.log(result.caught ? `caught: ${mutant.name}\n  by ${result.by}\n  ${result.why}` : `SURVIVED: ${mutant.name}`)
    } catch (error) {
      failed++
      console.log(`FAIL ${mutant.name}: ${error.message}`)
    }
    if (!options.keep) rmSync(join(scratch, String(number)), { recursive: true, force: true })
  }
}

try {
  await prepareSound()
  await Promise.all(Array.from({ length: Number(options.jobs) }, work))
} finally {
  if (!options.keep) rmSync(scratch, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
