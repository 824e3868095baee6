using System.Diagnostics;
using Callsheet.Core;
using UnityEngine;
using UnityEngine.UIElements;

namespace Callsheet.Samples
{
    /// <summary>
    /// A town built in code: a thousand agents walk between houses, a player walks among them and greets whoever is
    /// nearest every few seconds. On screen is what telling the server costs.
    /// </summary>
    [RequireComponent(typeof(UIDocument))]
    public sealed class Town : MonoBehaviour
    {
        [Tooltip("How many agents walk about.")]
        [Range(1, 5000)]
        [SerializeField]
        private int agents = 1000;

        [Tooltip("Houses along one side of the town.")]
        [Range(2, 60)]
        [SerializeField]
        private int blocks = 20;

        private const float BlockM = 12f;
        private const float ShowEveryS = 0.5f;
        private const float GreetEveryS = 5f;
        private static readonly string[] Trades = { "baker", "smith", "guard", "weaver", "farmer", "healer", "innkeeper", "carpenter" };

        private Walker[] _walkers;
        private Walker _player;
        private Label _cost;
        private Label _said;
        private float _walkMs;
        private float _shownAtS;
        private float _greetedAtS;

        private void Start()
        {
            VisualElement root = GetComponent<UIDocument>().rootVisualElement;
            _cost = root.Q<Label>("cost");
            _said = root.Q<Label>("said");
            BuildHouses();
            _player = Walk(new GameObject("Traveller"), 4f);
            _player.gameObject.AddComponent<CallsheetPlayer>();
            _walkers = new Walker[agents];
            for (int i = 0; i < agents; i++)
            {
                _walkers[i] = BuildAgent(i);
            }
            var eye = new GameObject("Camera");
            eye.AddComponent<Camera>();
            float middle = blocks * BlockM / 2;
            eye.transform.position = new Vector3(middle, blocks * BlockM * 0.8f, -middle * 0.6f);
            eye.transform.LookAt(new Vector3(middle, 0f, middle));
            var sun = new GameObject("Sun");
            sun.transform.LookAt(new Vector3(-1f, -2f, 1f));
            sun.AddComponent<Light>().type = LightType.Directional;
        }

        private void Update()
        {
            long start = Stopwatch.GetTimestamp();
            _player.Step(Time.deltaTime);
            for (int i = 0; i < _walkers.Length; i++)
            {
                _walkers[i].Step(Time.deltaTime);
            }
            _walkMs = (Stopwatch.GetTimestamp() - start) * 1000f / Stopwatch.Frequency;
            if (Time.time - _shownAtS > ShowEveryS)
            {
                _shownAtS = Time.time;
                ShowCost();
            }
            if (Time.time - _greetedAtS > GreetEveryS)
            {
                _greetedAtS = Time.time;
                Greet();
            }
        }

        private void ShowCost()
        {
            CallsheetClient client = CallsheetClient.Instance;
            string cost = client.State + ", " + client.Npcs.Count + " NPCs\nticks " + client.World.TicksSent + ", the last had "
                + client.World.LastTickBytes + " bytes\nwalking takes " + _walkMs.ToString("F2") + " ms a frame";
            if (client.World.TickRoundTripS.HasValue)
            {
                cost += "\ntick to ack " + (client.World.TickRoundTripS.Value * 1000).ToString("F1") + " ms";
            }
            if (client.World.LastStats != null)
            {
                cost += "\nserver: " + client.World.LastStats.Loads + " loads, " + client.World.LastStats.Evictions + " evictions";
            }
            _cost.text = cost;
        }

        private void Greet()
        {
            CallsheetNpc nearest = Nearest();
            nearest.Say("Hello there! What news?", text => _said.text = nearest.name + ": " + text, error => _said.text = error.Message);
        }

        private CallsheetNpc Nearest()
        {
            Walker nearest = _walkers[0];
            foreach (Walker walker in _walkers)
            {
                Vector3 here = _player.transform.position;
                if (Vector3.Distance(walker.transform.position, here) < Vector3.Distance(nearest.transform.position, here))
                {
                    nearest = walker;
                }
            }
            return nearest.GetComponent<CallsheetNpc>();
        }

        private void BuildHouses()
        {
            for (int x = 0; x < blocks; x++)
            {
                for (int z = 0; z < blocks; z++)
                {
                    GameObject house = GameObject.CreatePrimitive(PrimitiveType.Cube);
                    float height = Random.Range(3f, 8f);
                    house.transform.localScale = new Vector3(BlockM * 0.6f, height, BlockM * 0.6f);
                    house.transform.position = new Vector3((x + 0.5f) * BlockM, height / 2, (z + 0.5f) * BlockM);
                }
            }
        }

        private Walker BuildAgent(int number)
        {
            string trade = Trades[number % Trades.Length];
            GameObject body = GameObject.CreatePrimitive(PrimitiveType.Capsule);
            body.name = trade + " " + number;
            body.SetActive(false);
            CallsheetNpc npc = body.AddComponent<CallsheetNpc>();
            npc.NpcId = trade + "-" + number;
            npc.Archetype = trade;
            npc.Persona = "You are the " + trade + " number " + number + " of a busy town. You answer in one sentence.";
            Walker walker = Walk(body, Random.Range(0.8f, 2f));
            body.SetActive(true);
            return walker;
        }

        private Walker Walk(GameObject body, float speed)
        {
            Walker walker = body.AddComponent<Walker>();
            walker.Begin(blocks, BlockM, speed);
            return walker;
        }
    }
}
