using System;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>A time at which an NPC will need the model.</summary>
    [Serializable]
    public struct ScheduleEntry
    {
        [Tooltip("Absolute game time, s.")]
        [Min(0f)]
        public float at;

        [Tooltip("Again every so many seconds; 0 = once.")]
        [Min(0f)]
        public float every;

        internal ScheduledCall ToWire() => new ScheduledCall { AtS = at, EveryS = every > 0 ? every : (double?)null };
    }
}
