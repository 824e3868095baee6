using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>
    /// Where the server is and how the world is told to it.
    ///
    /// The project's asset is used by every client that has none of its own, wherever in the project it lies; without
    /// one the defaults hold. Project Settings > Callsheet creates it.
    /// </summary>
    [CreateAssetMenu(fileName = AssetName, menuName = "Callsheet/Settings")]
    public sealed class CallsheetSettings : ScriptableObject
    {
        /// <summary>If there are several, the project's has this name.</summary>
        internal const string AssetName = "CallsheetSettings";

        [Header("Server")]
        [Tooltip("Where the server listens: ws://host:port/, or wss:// behind a TLS proxy.")]
        [SerializeField]
        private string serverUrl = SessionOptions.DefaultUrl;

        [Tooltip("The world this game owns. Two games on one server need different worlds. Letters, digits and _ . : - only.")]
        [SerializeField]
        private string world = "default";

        [Tooltip("The token the server was started with; empty if none. It ships with the build: it keeps strangers out, it is no secret.")]
        [SerializeField]
        private string token = "";

        [Header("World")]
        [Tooltip("What every NPC of this world knows. The shorter, the faster.")]
        [TextArea(3, 12)]
        [SerializeField]
        private string lore = "";

        [Tooltip("What all NPCs of an archetype know, besides what each of them does.")]
        [SerializeField]
        private ArchetypeKnowledge[] knowledge = new ArchetypeKnowledge[0];

        [Tooltip("The fastest a player can move, m/s. Tell the truth: it decides how early an NPC is made ready.")]
        [Min(0.01f)]
        [SerializeField]
        private float playerMaxSpeed = 8f;

        [Tooltip("The fastest an NPC can move, m/s.")]
        [Min(0.01f)]
        [SerializeField]
        private float npcMaxSpeed = 4f;

        [Header("Traffic")]
        [Tooltip("How often a second the server is told where everyone is. 20 is plenty for walking NPCs.")]
        [Range(1f, 60f)]
        [SerializeField]
        private float ticksPerSecond = 20f;

        [Tooltip("Ask for the state of every NPC twice a second: needed by gizmos and the NPC window. Development builds and the editor only.")]
        [SerializeField]
        private bool showNpcStates = true;

        [Tooltip("Messages handled in one frame. What is over waits for the next frame.")]
        [Min(1)]
        [SerializeField]
        private int maxMessagesPerFrame = 256;

        [Tooltip("Log connections, not only problems.")]
        [SerializeField]
        private bool verbose;

        /// <summary>Where the server listens: ws://host:port/, or wss:// behind a TLS proxy.</summary>
        public string ServerUrl
        {
            get => serverUrl;
            set => serverUrl = value;
        }

        /// <summary>The world this game owns. Two games on one server need different worlds.</summary>
        public string World
        {
            get => world;
            set => world = value;
        }

        /// <summary>The access token; empty if the server asks for none.</summary>
        public string Token
        {
            get => token;
            set => token = value;
        }

        /// <summary>How often a second the server is told where everyone is.</summary>
        public float TicksPerSecond
        {
            get => ticksPerSecond;
            set => ticksPerSecond = value;
        }

        /// <summary>True: connections are logged, not only problems.</summary>
        public bool Verbose
        {
            get => verbose;
            set => verbose = value;
        }

        /// <summary>Looks for the project's asset; the editor sets it. Null in a build, which has loaded the asset by then.</summary>
        internal static Func<CallsheetSettings> FindInProject { get; set; }

        /// <summary>The asset that was loaded first: in a build the project's, which is loaded before any scene.</summary>
        internal static CallsheetSettings Preloaded { get; set; }

        /// <summary>The project's settings, or the defaults if it has none.</summary>
        internal static CallsheetSettings Load()
        {
            CallsheetSettings found = FindInProject != null ? FindInProject() : Preloaded;
            return found != null ? found : CreateInstance<CallsheetSettings>();
        }

        /// <summary>The facts that all NPCs of an archetype know.</summary>
        internal IEnumerable<string> FactsOf(string archetype) => knowledge
            .Where(entry => entry.archetype == archetype && entry.facts != null)
            .SelectMany(entry => entry.facts.text.Split('\n'))
            .Select(line => line.Trim())
            .Where(line => line.Length > 0);

        internal SessionOptions ToSessionOptions() => new SessionOptions
        {
            Url = serverUrl,
            World = world,
            Token = token,
            MaxMessagesPerTick = maxMessagesPerFrame,
            Seed = unchecked((uint)Environment.TickCount),
        };

        internal WorldOptions ToWorldOptions() => new WorldOptions
        {
            Lore = string.IsNullOrEmpty(lore) ? null : lore,
            PlayerMaxSpeedMps = playerMaxSpeed,
            NpcMaxSpeedMps = npcMaxSpeed,
            TicksPerS = ticksPerSecond,
            AckTicks = showNpcStates && Debug.isDebugBuild,
            Topics = showNpcStates && Debug.isDebugBuild ? new[] { Topic.Npcs, Topic.Stats } : new Topic[0],
        };

        private void OnEnable()
        {
            if (Preloaded == null)
            {
                Preloaded = this;
            }
        }
    }
}
