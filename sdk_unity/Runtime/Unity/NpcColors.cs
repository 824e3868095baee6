using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>How near an NPC is to talking, as a colour.</summary>
    public static class NpcColors
    {
        private static readonly Color Unknown = new Color(0.6f, 0.6f, 0.6f, 0.4f);

        /// <summary>Hue by tier (green device, yellow host, orange disk, grey absent), stronger the sooner it is expected to talk.</summary>
        public static Color Of(NpcState state)
        {
            if (state == null)
            {
                return Unknown;
            }
            Color color = Hue(state.Tier);
            double soon = state.DistanceS.HasValue ? 1 / (1 + (state.DistanceS.Value / 10)) : 0;
            color.a = 0.25f + (0.75f * (float)soon);
            return color;
        }

        private static Color Hue(Tier tier)
        {
            switch (tier)
            {
                case Tier.Device: return new Color(0.2f, 0.8f, 0.3f);
                case Tier.Host: return new Color(0.95f, 0.85f, 0.2f);
                case Tier.Disk: return new Color(0.95f, 0.5f, 0.15f);
                default: return new Color(0.6f, 0.6f, 0.6f);
            }
        }
    }
}
