using System;
using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>Who is in reach.</summary>
    internal static class Nearby
    {
        /// <summary>The nearest NPC that is within its reach, m; null if there is none.</summary>
        internal static CallsheetNpc Nearest(Vector3 here, Func<CallsheetNpc, float> reachM)
        {
            CallsheetNpc nearest = null;
            float nearestM = float.PositiveInfinity;
            foreach (CallsheetNpc npc in CallsheetClient.Instance.Npcs)
            {
                float awayM = Vector3.Distance(npc.transform.position, here);
                if (awayM < nearestM && awayM <= reachM(npc))
                {
                    nearest = npc;
                    nearestM = awayM;
                }
            }
            return nearest;
        }
    }
}
