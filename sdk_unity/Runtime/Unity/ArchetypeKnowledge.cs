using System;
using UnityEngine;

namespace Callsheet
{
    /// <summary>What all NPCs of an archetype know.</summary>
    [Serializable]
    internal struct ArchetypeKnowledge
    {
        [Tooltip("As the NPCs have it, such as guard.")]
        [SerializeField]
        internal string archetype;

        [Tooltip("One fact a line, in the second person or none: \"The mill burnt down.\"")]
        [SerializeField]
        internal TextAsset facts;
    }
}
