using System;
using UnityEngine;

namespace Callsheet
{
    /// <summary>
    /// The game's clock for a game that has none of its own: it can run faster than real time, pause, jump
    /// ahead, and go back. NPCs' schedules and the distances of their next calls follow it.
    /// </summary>
    [DefaultExecutionOrder(-900)]
    [DisallowMultipleComponent]
    [AddComponentMenu("Callsheet/Callsheet Game Clock")]
    public sealed class CallsheetGameClock : MonoBehaviour
    {
        [Tooltip("Game time when the scene begins, s: 28800 = eight in the morning.")]
        [Min(0f)]
        [SerializeField]
        private float startTime = 0f;

        [Tooltip("Seconds of game time in a second of Time.time.")]
        [Min(0f)]
        [SerializeField]
        private float speed = 1f;

        private CallsheetClient _client;
        private Func<double> _clock;

        /// <summary>Game time, s. Set it to load yesterday.</summary>
        public double TimeS { get; set; }

        /// <summary>Seconds of game time in a second of Time.time.</summary>
        public float Speed
        {
            get => speed;
            set => speed = value;
        }

        /// <summary>True: game time stands still.</summary>
        public bool IsPaused { get; set; }

        /// <summary>Jumps ahead: eight hours of sleep are 28,800 s.</summary>
        public void Skip(double seconds) => TimeS += seconds;

        private void Awake() => TimeS = startTime;

        private void OnEnable()
        {
            _client = CallsheetClient.Instance;
            if (_client == null)
            {
                return;
            }
            _clock = () => TimeS;
            _client.World.Loaded += OnLoaded;
            CallsheetClient.GameClock = _clock;
        }

        private void OnDisable()
        {
            if (_client != null)
            {
                _client.World.Loaded -= OnLoaded;
            }
            if (CallsheetClient.GameClock == _clock)
            {
                CallsheetClient.GameClock = null;
            }
        }

        private void Update()
        {
            if (!IsPaused)
            {
                TimeS += Time.deltaTime * speed;
            }
        }

        private void OnLoaded(double timeS) => TimeS = timeS;
    }
}
