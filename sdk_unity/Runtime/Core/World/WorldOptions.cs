using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>How a game's world is told to the server.</summary>
    public sealed class WorldOptions
    {
        /// <summary>Ticks sent per second of the session's clock.</summary>
        public double TicksPerS { get; set; } = 20;

        /// <summary>Seconds between two keyframes.</summary>
        public double KeyframeIntervalS { get; set; } = 10;

        /// <summary>A delta names whoever moved farther than this since it was last named, m.</summary>
        public float PositionStepM { get; set; } = 0.05f;

        /// <summary>A delta names whoever changed its velocity by more than this, m/s.</summary>
        public float VelocityStepMps { get; set; } = 0.1f;

        /// <summary>Asks every tick for an ack, by which <see cref="GameWorld.TickRoundTripS"/> is measured.</summary>
        public bool AckTicks { get; set; }

        /// <summary>Text that every NPC of the world knows; null says nothing.</summary>
        public string Lore { get; set; }

        /// <summary>The fastest a player can move, m/s; null leaves the server's default.</summary>
        public double? PlayerMaxSpeedMps { get; set; }

        /// <summary>The fastest an NPC can move, m/s; null leaves the server's default.</summary>
        public double? NpcMaxSpeedMps { get; set; }

        /// <summary>What the server is to tell by itself; empty = nothing.</summary>
        public Topic[] Topics { get; set; } = Array.Empty<Topic>();

        /// <summary>How often <see cref="Topic.Npcs"/> and <see cref="Topic.Stats"/> are told, s.</summary>
        public double TopicIntervalS { get; set; } = 0.5;

        internal void Check()
        {
            if (!(TicksPerS > 0 && TicksPerS <= 1000))
            {
                throw new ArgumentOutOfRangeException(nameof(TicksPerS), TicksPerS, "must be above 0, at most 1000");
            }
            if (!(KeyframeIntervalS > 0))
            {
                throw new ArgumentOutOfRangeException(nameof(KeyframeIntervalS), KeyframeIntervalS, "must be above 0");
            }
        }
    }
}
