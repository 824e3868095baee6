using System;
using System.Collections.Generic;
using System.Threading;
using Callsheet;
using UnityEngine;
using UnityEngine.UIElements;

/// <summary>The game that the documents' C# is taken from: what its fragments name and do not declare.</summary>
internal abstract class Game : MonoBehaviour
{
    protected readonly Dictionary<string, Door> doors = new Dictionary<string, Door>();
    protected readonly Dictionary<string, Transform> places = new Dictionary<string, Transform>();
    protected readonly List<string> inventory = new List<string>();
    protected readonly CancellationTokenSource destroyed = new CancellationTokenSource();
    protected readonly Calendar calendar = new Calendar();
    protected readonly Cutscene cutscene = new Cutscene();
    protected readonly Quest quest = new Quest();
    protected readonly Agent agent = new Agent();
    protected readonly Label label = new Label();
    protected CallsheetNpc npc = null, bram = null, ida = null, guardPrefab = null;
    protected CallsheetPlayer player = null;
    protected GameObject bodyPrefab = null;
    protected TextAsset castFile = null;
    protected CallsheetGameClock clock = null;
    protected int number = 1;

    protected static bool IsInReach(string door) => door.Length > 0;

    internal sealed class Door
    {
        internal bool TryOpen(float speed = 1f) => speed > 0;
    }

    internal sealed class Calendar
    {
        internal double Seconds { get; } = 1;
    }

    internal sealed class Cutscene
    {
        internal bool IsPlaying { get; } = true;
    }

    internal sealed class Quest
    {
        internal bool IsDone { get; } = true;
    }

    /// <summary>As Unity's NavMeshAgent.</summary>
    internal sealed class Agent
    {
        internal bool pathPending { get; } = false;

        internal float remainingDistance { get; } = 0;

        internal bool SetDestination(Vector3 target) => target.x > 0;
    }
}
