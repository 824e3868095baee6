using System;
using Callsheet.Core;
using UnityEngine;

namespace Callsheet
{
    /// <summary>NPCs from a cast file that lies in the project as a text asset (NAME.cast.json).</summary>
    public static class CallsheetCast
    {
        /// <summary>Reads a cast file.</summary>
        /// <exception cref="FormatException">It is none, is damaged, or is of a later version.</exception>
        public static Cast Load(TextAsset file) => Cast.Parse(file.text);

        /// <summary>
        /// Makes an object an NPC of a cast: it gets the id, name, persona, archetype and sociability. One that is
        /// an NPC already becomes this one.
        /// </summary>
        public static CallsheetNpc Play(GameObject body, CastNpc one)
        {
            bool isActive = body.activeSelf;
            body.SetActive(false);
            CallsheetNpc npc = body.GetComponent<CallsheetNpc>();
            if (npc == null)
            {
                npc = body.AddComponent<CallsheetNpc>();
            }
            npc.NpcId = one.Npc;
            npc.DisplayName = one.Name;
            npc.Persona = one.Persona;
            npc.Archetype = one.Archetype ?? "";
            npc.Sociability = (float)one.Sociability;
            body.SetActive(isActive);
            return npc;
        }
    }
}
